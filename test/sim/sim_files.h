/* sim_files: the model of what is served, with the history of every name, so that a body can be
 * compared with what the file was between the request and its answer.
 *
 * There is one tree; the root of another host is a directory in it, SIM_OTHER_ROOT. A precompressed
 * sibling is a file like any other: its bytes are no coding of anything, for nobody but the client
 * would look. */
#ifndef GYRE_TEST_SIM_FILES_H
#define GYRE_TEST_SIM_FILES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "sim_random.h"

enum {
    SIM_INODES_MAX = 1024,
    SIM_VERSIONS_MAX = 256, /* of one name */
    SIM_NODES_MAX = 48,
    SIM_HOT_COUNT = 12, /* the first names: those that change most */
};

#define SIM_OTHER_ROOT "other/"

enum sim_node_kind {
    SIM_REGULAR,
    SIM_DIRECTORY,
    SIM_FIFO,
};

/* What an open descriptor refers to: lives on when its name is gone. */
struct sim_inode {
    enum sim_node_kind kind;
    uint32_t content; /* which bytes: byte i is sim_byte(content, i) */
    uint64_t size;
    uint64_t changed_ns; /* since the start of the run; mtime and ctime; 0: a day before it */
};

/* What a name led to from `stamp` on. */
struct sim_version {
    uint64_t stamp;
    bool exists;
    uint32_t inode;
    uint32_t content;
    uint64_t size;
    uint64_t changed_ns;
};

struct sim_node {
    const char *name; /* beneath the root, "" for the root itself */
    enum sim_node_kind kind;
    bool is_secret; /* opening it gives EACCES */
    bool changes;   /* may be replaced, edited... in a run with changes */
    uint32_t versions_count;
    struct sim_version versions[SIM_VERSIONS_MAX]; /* the last one is in force */
};

struct sim_files {
    struct sim_node nodes[SIM_NODES_MAX];
    uint32_t nodes_count;
    struct sim_inode inodes[SIM_INODES_MAX];
    uint32_t inodes_count;
    uint32_t contents_count;
    uint64_t stamp;    /* grows with every change */
    const char *focus; /* names that begin so change most; NULL: the first names do */
};

enum sim_change {
    SIM_REPLACE, /* by rename: another inode */
    SIM_EDIT,    /* in place, same size */
    SIM_TRUNCATE,
    SIM_GROW,
    SIM_DELETE,
    SIM_CREATE,
    SIM_CHANGES_COUNT,
};

/* Odd contents repeat themselves, so that compressing them is worth it; of the others it is not. */
static inline char sim_byte(uint32_t content, uint64_t i)
{
    i >>= content & 1 ? 4 : 0;
    uint32_t bits = (uint32_t)i * 0x9e3779b1U + content * 0x85ebca77U;
    bits = (bits ^ bits >> 15) * 0x2c1b3c6dU;
    return (char)((bits ^ bits >> 12) >> 24);
}

void sim_files_init(struct sim_files *files);

/* NULL: no such name. */
struct sim_node *sim_files_find(struct sim_files *files, const char *name);
const struct sim_version *sim_node_now(const struct sim_node *node);
/* The precompressed sibling with that suffix, whether it exists now or not; NULL: no such name. */
const struct sim_node *sim_files_sibling(const struct sim_files *files, const struct sim_node *node,
                                         const char *suffix);

/* The inode that a path opens, or -errno. */
int sim_files_open(struct sim_files *files, const char *path);
void sim_files_stat(const struct sim_files *files, uint32_t inode, struct stat *status);
/* What it was when that version was in force. */
void sim_version_stat(const struct sim_version *version, struct stat *status);
/* Bytes read, less at the end. */
uint32_t sim_files_read(const struct sim_files *files, uint32_t inode, uint64_t offset, char *data,
                        uint32_t size);

/* Changes a name; size: of the new file, or the new size. Does nothing where it makes no sense. */
void sim_files_change(struct sim_files *files, struct sim_node *node, enum sim_change change,
                      uint64_t size, uint64_t now_ms);
void sim_files_change_any(struct sim_files *files, struct sim_random *random, uint64_t now_ms);

#endif
