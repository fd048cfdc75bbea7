/* auth: Basic credentials (RFC 7617) against a password file as htpasswd(1) writes it.
 *
 * The file: one "USER:HASH" a line, anything after a second ':' ignored; '#' begins a comment line;
 * blank lines and CR before LF are tolerated; the first line of a user counts. It is read anew for
 * each job, so an edit holds at once, but for what the cache still grants.
 *
 * Hashes, by crypt(5): bcrypt ($2y$, $2b$, $2a$), yescrypt ($y$), scrypt ($7$), SHA-512 ($6$) and
 * SHA-256 ($5$). They are salted and slow by design: a stolen file does not give the passwords away
 * soon. Refused are plain text, {SHA} and other unsalted digests (one table undoes all of them),
 * DES crypt (eight characters, 12 bits of salt) and $apr1$ (a thousand rounds of MD5: billions of
 * guesses a second on one graphics card). A line with such a hash grants nothing, and says so:
 * whoever wrote it believes that it protects something.
 *
 * Time tells nothing about users: the whole file is always looked through, and who is not in it, or
 * has a hash that is refused, costs the hash of the file's first usable line. (Users whose hashes
 * have different costs can be told apart; give them one.) A file without a usable line has nobody
 * to hide. */
#ifndef GYRE_SERVER_AUTH_H
#define GYRE_SERVER_AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/slice.h"
#include "uring/uring.h"

enum {
    AUTH_FILE_BYTES_MAX = 1024 * 1024,
    AUTH_USER_SIZE_MAX = 255,
    AUTH_PASSWORD_SIZE_MAX = 511, /* what crypt(3) takes; bcrypt looks at the first 72 bytes */
    AUTH_SALT_SIZE = 32,
    AUTH_KEY_SIZE = 32,    /* SHA-256 */
    AUTH_CACHE_MAX = 256,  /* grants remembered by one worker */
    AUTH_GRANT_MS = 10000, /* so long a removed user or changed password may still hold */
};

/* One look-up, for a helper thread: auth_run() blocks on the disk, and computes for as long as the
 * file's hashes want. During a run nothing of it may be touched. */
struct auth_job {
    struct uring_work work; /* run: auth_run() */
    const char *file;       /* path of the password file; borrowed */
    /* Strings: credentials with a NUL in them, or longer ones, are for the caller to refuse. */
    char user[AUTH_USER_SIZE_MAX + 1];
    char password[AUTH_PASSWORD_SIZE_MAX + 1]; /* wiped by the run */
    bool granted;
    int error; /* 0, or -errno, worth a line in the log; granted is false then */
};

/* Sets granted and error. An empty user is never granted. Errors: those of open(2) and read(2);
 * -EISDIR, -EINVAL: not a regular file; -EFBIG: larger than AUTH_FILE_BYTES_MAX; -ENOMEM; -ENOTSUP:
 * this user's hash is of a kind that is refused; -EBADMSG: crypt(3) cannot read it. The last two
 * should be answered like any refusal, or the answer tells that there is such a user.
 * open(2), crypt_r(3), crypt(5). */
void auth_run(struct uring_work *work);

/* A worker's memory of what was granted, so that a hash is computed once in AUTH_GRANT_MS and not
 * for each request. No lock: it is one thread's. Neither passwords nor their plain digests are
 * kept: keys are digests with a secret salt, compared in constant time. Refusals are not kept: the
 * price of a guess stays. */
struct auth_grant {
    uint8_t key[AUTH_KEY_SIZE];
    uint64_t granted_ms;
};

struct auth_cache {
    uint8_t salt[AUTH_SALT_SIZE];
    struct auth_grant grants[AUTH_CACHE_MAX]; /* a ring: the oldest first, `count` of them */
    uint32_t oldest;
    uint32_t count;
};

/* salt: random bytes that nobody else knows; copied. */
void auth_cache_init(struct auth_cache *cache, const uint8_t salt[AUTH_SALT_SIZE]);

/* Whether this value of Authorization was granted by this file (its path) less than AUTH_GRANT_MS
 * ago. now_ms: monotonic, never going back from one call to the next. */
bool auth_cache_holds(struct auth_cache *cache, const char *file, struct slice authorization,
                      uint64_t now_ms);

/* Remembers a grant; when there are AUTH_CACHE_MAX, in the place of the oldest. */
void auth_cache_add(struct auth_cache *cache, const char *file, struct slice authorization,
                    uint64_t now_ms);

#endif
