/* access_log: two buffers, one being filled while the other is written.
 *
 * Duty: one line a response, in the order of the responses of this worker, written in large pieces
 * by the ring, so that neither a slow disk nor a stopped reader of a pipe is ever waited for.
 *
 * Invariants: at most one write is in flight, and it is of the inactive buffer; a buffer is made
 * active only when it is empty. A line is in a buffer whole, or counted as dropped.
 *
 * Ownership: the log owns its descriptors (standard output is duplicated) and buffers. */
#include "server/access_log.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/limits.h"
#include "server/op.h"

static int open_target(const char *path)
{
    if (strcmp(path, "stdout") == 0) {
        int file = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
        return file >= 0 ? file : -errno;
    }
    /* O_NONBLOCK: opening a FIFO that nobody reads must fail, not hang. */
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
    return file >= 0 ? file : -errno;
}

static uint32_t lines_count(const char *data, uint32_t size)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < size; i++) {
        count += data[i] == '\n';
    }
    return count;
}

int access_log_open(struct access_log *log, struct uring *uring, const char *path, bool is_short)
{
    *log = (struct access_log){ .uring = uring, .path = path, .file = -1, .file_next = -1 };
    if (strcmp(path, "off") == 0) {
        return 0;
    }
    int file = open_target(path);
    if (file < 0) {
        return file;
    }
    log->buffers[0] = malloc(2 * (size_t)LOG_BUFFER_SIZE);
    if (log->buffers[0] == NULL) {
        close(file);
        return -ENOMEM;
    }
    log->buffers[1] = log->buffers[0] + LOG_BUFFER_SIZE;
    log->file = file;
    log->is_terminal = isatty(file) == 1;
    log->is_short = is_short;
    log->in_colour = is_short && log->is_terminal && getenv("NO_COLOR") == NULL;
    return 0;
}

void access_log_close(struct access_log *log)
{
    if (log->file >= 0) {
        close(log->file);
    }
    if (log->file_next >= 0) {
        close(log->file_next);
    }
    if (!log->writing) { /* else a pipe that nobody reads still has it: the process ends with it */
        free(log->buffers[0]);
    }
    log->buffers[0] = NULL;
    log->file = -1;
    log->file_next = -1;
}

bool access_log_is_on(const struct access_log *log)
{
    return log->file >= 0;
}

bool access_log_is_pending(const struct access_log *log)
{
    return log->writing || log->stalled || log->size[log->active] > 0;
}

static void write_rest(struct access_log *log)
{
    unsigned written = log->active ^ 1U;
    uring_write(log->uring, (struct uring_token){ .op = OP_LOG }, log->file,
                log->buffers[written] + log->written_size, log->size[written] - log->written_size);
    log->writing = true;
}

static void take_next_file(struct access_log *log)
{
    assert(!log->writing);
    if (log->file_next >= 0) {
        close(log->file);
        log->file = log->file_next;
        log->file_next = -1;
    }
}

void access_log_flush(struct access_log *log, bool now)
{
    uint32_t size = log->size[log->active];
    if (log->writing || log->stalled || size == 0 ||
        (!now && !log->is_terminal && size < LOG_FLUSH_SIZE)) {
        return;
    }
    log->active ^= 1U;
    assert(log->size[log->active] == 0);
    log->written_size = 0;
    write_rest(log);
}

void access_log_tick(struct access_log *log)
{
    if (log->stalled) {
        log->stalled = false;
        write_rest(log);
    }
    access_log_flush(log, true);
}

void access_log_add(struct access_log *log, const struct access_record *record, int64_t now_s)
{
    if (LOG_BUFFER_SIZE - log->size[log->active] < LOG_LINE_SIZE_MAX) {
        access_log_flush(log, true);
    }
    uint32_t size = log->size[log->active];
    if (LOG_BUFFER_SIZE - size < LOG_LINE_SIZE_MAX || log->given_up) {
        log->dropped_count++;
        return;
    }
    char *line = log->buffers[log->active] + size;
    size_t line_size = log->is_short ? access_log_format_short(record, now_s, log->in_colour, line,
                                                               LOG_LINE_SIZE_MAX)
                                     : access_log_format(record, now_s, line, LOG_LINE_SIZE_MAX);
    log->size[log->active] += (uint32_t)line_size;
}

void access_log_give_up(struct access_log *log)
{
    if (log->given_up) {
        return;
    }
    log->given_up = true;
    log->dropped_count += lines_count(log->buffers[log->active], log->size[log->active]);
    log->size[log->active] = 0;
    if (log->writing) {
        uring_cancel(log->uring, (struct uring_token){ .op = OP_LOG });
    } else if (log->stalled) {
        uint8_t written = log->active ^ 1U;
        log->stalled = false;
        log->dropped_count += lines_count(log->buffers[written] + log->written_size,
                                          log->size[written] - log->written_size);
        log->size[written] = 0;
    }
}

void access_log_handle_write(struct access_log *log, const struct uring_event *event)
{
    unsigned written = log->active ^ 1U;
    assert(log->writing);
    log->writing = false;
    bool again = event->result == -EINTR || event->result == -EAGAIN;
    if (again && !log->given_up) {
        /* A pipe whose reader is slow: try again at the next tick, not at once. */
        log->stalled = event->result == -EAGAIN;
        if (!log->stalled) {
            write_rest(log);
        }
        return;
    }
    if (event->result < 0) {
        log->error = event->result;
    }
    if (event->result > 0) {
        log->written_size += (uint32_t)event->result;
        assert(log->written_size <= log->size[written]);
        if (log->written_size < log->size[written] && !log->given_up) {
            write_rest(log);
            return;
        }
    }
    /* A full disk, a reader that went away: what was not written is lost, and counted. */
    log->dropped_count += lines_count(log->buffers[written] + log->written_size,
                                      log->size[written] - log->written_size);
    log->size[written] = 0;
    take_next_file(log);
}

int access_log_reopen(struct access_log *log)
{
    if (log->file < 0 || strcmp(log->path, "stdout") == 0) {
        return 0;
    }
    int file = open_target(log->path);
    if (file < 0) {
        return file;
    }
    if (log->file_next >= 0) {
        close(log->file_next);
    }
    log->file_next = file;
    if (!log->writing && !log->stalled) {
        take_next_file(log);
    }
    return 0;
}
