/* access_line: one line of the combined log format. Pure.
 *
 * What a client sent is quoted so that no byte of it can end a field, a line, or reach a terminal:
 * quotes, backslashes, control bytes and everything beyond ASCII become \xHH. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <time.h>

#include "http/http_date.h"
#include "http/http_head.h"
#include "server/access_log.h"

/* Bytes that a client's value may take in the line before it is cut; the cut is marked. */
enum {
    VALUE_SIZE_MAX = 1024
};

struct line_writer {
    char *buffer;
    size_t size;
    size_t used;
};

static void write_bytes(struct line_writer *writer, const char *data, size_t size)
{
    size_t room = writer->size - writer->used;
    size_t fits = size < room ? size : room;
    memcpy(writer->buffer + writer->used, data, fits);
    writer->used += fits;
}

static void write_text(struct line_writer *writer, const char *text)
{
    write_bytes(writer, text, strlen(text));
}

static void write_escaped(struct line_writer *writer, struct slice value)
{
    static const char DIGITS[] = "0123456789abcdef";
    size_t limit = writer->used + VALUE_SIZE_MAX;
    size_t i = 0;
    for (; i < value.size && writer->used < limit; i++) {
        unsigned char byte = (unsigned char)value.data[i];
        if (byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\') {
            write_bytes(writer, &value.data[i], 1);
        } else {
            const char escape[4] = { '\\', 'x', DIGITS[byte >> 4], DIGITS[byte & 15] };
            write_bytes(writer, escape, sizeof(escape));
        }
    }
    if (i < value.size) {
        write_text(writer, "...");
    }
}

static void write_quoted(struct line_writer *writer, struct slice value)
{
    write_text(writer, " \"");
    if (value.data == NULL) {
        write_text(writer, "-");
    } else {
        write_escaped(writer, value);
    }
    write_text(writer, "\"");
}

static void write_peer(struct line_writer *writer, const struct sockaddr *peer)
{
    char text[INET6_ADDRSTRLEN] = "";
    if (peer == NULL || peer->sa_family == AF_UNIX) {
        write_text(writer, peer == NULL ? "-" : "unix"); /* "-": gone before it could be asked */
        return;
    }
    if (peer->sa_family == AF_INET) {
        const struct sockaddr_in *address = (const struct sockaddr_in *)(const void *)peer;
        (void)inet_ntop(AF_INET, &address->sin_addr, text, sizeof(text));
    } else {
        const struct sockaddr_in6 *address = (const struct sockaddr_in6 *)(const void *)peer;
        (void)inet_ntop(AF_INET6, &address->sin6_addr, text, sizeof(text));
    }
    /* A client of a dual-stack listener is written as the IPv4 client that it is. */
    const char *shown = strncmp(text, "::ffff:", 7) == 0 && strchr(text, '.') ? text + 7 : text;
    write_text(writer, shown);
}

static void write_number(struct line_writer *writer, uint64_t value)
{
    char digits[20];
    write_bytes(writer, digits, http_decimal_write(value, digits));
}

size_t access_log_format(const struct access_record *record, int64_t now_s, char *buffer,
                         size_t size)
{
    struct line_writer writer = { .buffer = buffer, .size = size - 1 };
    char date[HTTP_LOG_DATE_SIZE];
    http_log_date_write(now_s, date);
    write_peer(&writer, record->peer);
    write_text(&writer, " - - [");
    write_bytes(&writer, date, sizeof(date));
    write_text(&writer, "]");
    write_quoted(&writer, record->line);
    write_text(&writer, " ");
    write_number(&writer, record->status);
    write_text(&writer, " ");
    write_number(&writer, record->body_bytes);
    write_quoted(&writer, record->referer);
    write_quoted(&writer, record->user_agent);
    buffer[writer.used++] = '\n';
    return writer.used;
}

static const char *colour_of(unsigned status)
{
    switch (status / 100) {
    case 2:
        return "\033[32m"; /* green */
    case 3:
        return "\033[36m"; /* cyan */
    case 4:
        return "\033[33m"; /* yellow */
    default:
        return "\033[31m"; /* red */
    }
}

size_t access_log_format_short(const struct access_record *record, int64_t now_s, bool in_colour,
                               char *buffer, size_t size)
{
    struct line_writer writer = { .buffer = buffer, .size = size - 1 };
    char clock[16] = "";
    time_t now = (time_t)now_s;
    struct tm local;
    if (localtime_r(&now, &local) != NULL) {
        (void)strftime(clock, sizeof(clock), "%H:%M:%S ", &local);
    }
    write_text(&writer, clock);
    write_text(&writer, in_colour ? colour_of(record->status) : "");
    write_number(&writer, record->status);
    write_text(&writer, in_colour ? "\033[0m " : " ");
    /* "GET /path HTTP/1.1": the version is of no interest here. */
    struct slice line = record->line;
    const char *version = line.data != NULL ? memrchr(line.data, ' ', line.size) : NULL;
    if (version != NULL && version != line.data) {
        line.size = (size_t)(version - line.data);
    }
    write_escaped(&writer, line);
    write_text(&writer, " ");
    write_number(&writer, record->body_bytes);
    buffer[writer.used++] = '\n';
    return writer.used;
}
