/* auth: see the header. Whatever held a password or a hash is wiped before it is freed. */
#include "server/auth.h"

#include <assert.h>
#include <crypt.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(AUTH_PASSWORD_SIZE_MAX < CRYPT_MAX_PASSPHRASE_SIZE, "crypt takes every password");

struct password_file {
    char *text;
    size_t size;
};

static int check_file(int fd)
{
    struct stat status;
    if (fstat(fd, &status) != 0) {
        return -errno;
    }
    if (!S_ISREG(status.st_mode)) {
        return S_ISDIR(status.st_mode) ? -EISDIR : -EINVAL;
    }
    return status.st_size <= AUTH_FILE_BYTES_MAX ? 0 : -EFBIG;
}

/* Reads to the end, wherever that is by now. */
static int read_all(int fd, struct password_file *file)
{
    for (;;) {
        ssize_t got = read(fd, file->text + file->size, AUTH_FILE_BYTES_MAX + 1 - file->size);
        if (got < 0 && errno != EINTR) {
            return -errno;
        }
        if (got == 0) {
            return 0;
        }
        file->size += got > 0 ? (size_t)got : 0;
        if (file->size > AUTH_FILE_BYTES_MAX) {
            return -EFBIG;
        }
    }
}

static void file_close(struct password_file *file)
{
    if (file->text != NULL) {
        explicit_bzero(file->text, file->size);
        free(file->text);
    }
    *file = (struct password_file){ 0 };
}

static int file_load(const char *path, struct password_file *file)
{
    *file = (struct password_file){ 0 };
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        return -errno;
    }
    int error = check_file(fd);
    if (error == 0) {
        file->text = malloc(AUTH_FILE_BYTES_MAX + 1);
        error = file->text != NULL ? read_all(fd, file) : -ENOMEM;
    }
    close(fd);
    if (error != 0) {
        file_close(file);
    }
    return error;
}

static bool slice_begins(struct slice text, struct slice start)
{
    return text.size >= start.size && memcmp(text.data, start.data, start.size) == 0;
}

static bool is_accepted(struct slice hash)
{
    static const struct slice PREFIXES[] = {
        { "$2y$", 4 }, { "$2b$", 4 }, { "$2a$", 4 }, { "$y$", 3 },
        { "$7$", 3 },  { "$6$", 3 },  { "$5$", 3 },
    };
    for (size_t i = 0; i < sizeof(PREFIXES) / sizeof(PREFIXES[0]); i++) {
        if (slice_begins(hash, PREFIXES[i])) {
            return hash.size < CRYPT_OUTPUT_SIZE && memchr(hash.data, '\0', hash.size) == NULL;
        }
    }
    return false;
}

/* Cuts off the part before `separator`, and the separator. */
static struct slice take_until(struct slice *text, char separator)
{
    const char *at = text->size > 0 ? memchr(text->data, separator, text->size) : NULL;
    size_t size = at != NULL ? (size_t)(at - text->data) : text->size;
    struct slice part = slice_of(text->data, size);
    size_t taken = size + (at != NULL);
    *text = slice_of(text->data + taken, text->size - taken);
    return part;
}

/* Fills *user and *hash (which may be empty: of a user who is shut out). False: no entry. */
static bool parse_line(struct slice line, struct slice *user, struct slice *hash)
{
    if (line.size > 0 && line.data[line.size - 1] == '\r') {
        line.size--;
    }
    if (line.size == 0 || line.data[0] == '#' || memchr(line.data, ':', line.size) == NULL) {
        return false;
    }
    *user = take_until(&line, ':');
    *hash = take_until(&line, ':');
    return user->size > 0;
}

/* The hash of the user's first line, or SLICE_NONE. Looks at every line, found or not: the time
 * must not tell. */
static struct slice file_find(const struct password_file *file, struct slice wanted)
{
    struct slice found = SLICE_NONE;
    struct slice rest = slice_of(file->text, file->size);
    while (rest.size > 0) {
        struct slice user;
        struct slice hash;
        if (parse_line(take_until(&rest, '\n'), &user, &hash) && found.data == NULL &&
            slice_equal(user, wanted)) {
            found = hash;
        }
    }
    return found;
}

/* Whether the password has this hash: 1 or 0; or -ENOMEM, -EBADMSG. */
static int verify(const char *password, struct slice hash)
{
    assert(hash.size < CRYPT_OUTPUT_SIZE);
    struct crypt_data *data = calloc(1, sizeof(*data));
    if (data == NULL) {
        return -ENOMEM;
    }
    memcpy(data->setting, hash.data, hash.size);
    const char *computed = crypt_r(password, data->setting, data);
    int result = -EBADMSG;
    if (computed != NULL && computed[0] == '$') {
        result =
            strlen(computed) == hash.size && CRYPTO_memcmp(computed, hash.data, hash.size) == 0;
    }
    explicit_bzero(data, sizeof(*data));
    free(data);
    return result;
}

/* Takes as long as it takes to refuse a password by the file's first usable line. */
static void pass_time(const struct password_file *file, const char *password)
{
    struct slice rest = slice_of(file->text, file->size);
    while (rest.size > 0) {
        struct slice user;
        struct slice hash;
        if (parse_line(take_until(&rest, '\n'), &user, &hash) && is_accepted(hash) &&
            verify(password, hash) != -EBADMSG) {
            return;
        }
    }
}

static void judge(struct auth_job *job, const struct password_file *file)
{
    struct slice hash = file_find(file, slice_from_string(job->user));
    int result = 0;
    if (hash.data != NULL) {
        result = is_accepted(hash) ? verify(job->password, hash) : -ENOTSUP;
    }
    if (hash.data == NULL || result == -ENOTSUP || result == -EBADMSG) {
        pass_time(file, job->password);
    }
    job->granted = result == 1;
    job->error = result < 0 ? result : 0;
}

void auth_run(struct uring_work *work)
{
    struct auth_job *job = (struct auth_job *)work;
    job->granted = false;
    struct password_file file;
    job->error = file_load(job->file, &file);
    if (job->error == 0) {
        judge(job, &file);
        file_close(&file);
    }
    explicit_bzero(job->password, sizeof(job->password));
    assert(!job->granted || job->error == 0);
}
