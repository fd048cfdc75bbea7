/* sim_files: see the header. Nothing is ever freed or reused: a run is short. */
#include "sim_files.h"

#include <errno.h>
#include <string.h>

#include "sim.h"

static uint32_t content_new(struct sim_files *files, const char *name)
{
    static const char *const REPETITIVE[] = { ".js", ".html", ".css" };
    uint32_t content = 2 * files->contents_count++;
    size_t size = strlen(name);
    for (size_t i = 0; i < sizeof(REPETITIVE) / sizeof(REPETITIVE[0]); i++) {
        size_t suffix_size = strlen(REPETITIVE[i]);
        if (size > suffix_size && strcmp(name + size - suffix_size, REPETITIVE[i]) == 0) {
            return content + 1;
        }
    }
    return content;
}

static uint32_t inode_add(struct sim_files *files, const struct sim_node *node, uint64_t size,
                          uint64_t changed_ns)
{
    sim_check(files->inodes_count < SIM_INODES_MAX, "the model ran out of inodes");
    files->inodes[files->inodes_count] = (struct sim_inode){
        .kind = node->kind,
        .content = content_new(files, node->name),
        .size = size,
        .changed_ns = changed_ns,
    };
    return files->inodes_count++;
}

static void version_add(struct sim_files *files, struct sim_node *node, bool exists, uint32_t inode)
{
    sim_check(node->versions_count < SIM_VERSIONS_MAX, "the model ran out of versions");
    node->versions[node->versions_count++] = (struct sim_version){
        .stamp = ++files->stamp,
        .exists = exists,
        .inode = inode,
        .content = files->inodes[inode].content,
        .size = files->inodes[inode].size,
        .changed_ns = files->inodes[inode].changed_ns,
    };
}

static struct sim_node *node_add(struct sim_files *files, const char *name, enum sim_node_kind kind,
                                 uint64_t size)
{
    sim_check(files->nodes_count < SIM_NODES_MAX, "the model ran out of names");
    struct sim_node *node = &files->nodes[files->nodes_count++];
    *node = (struct sim_node){ .name = name, .kind = kind };
    version_add(files, node, true, inode_add(files, node, size, 0));
    return node;
}

void sim_files_init(struct sim_files *files)
{
    static const struct {
        const char *name;
        uint64_t size;
    } REGULAR[] = {
        { "p4097.js", 4097 },
        { "k16m", 16383 },
        { "k64.bin", 65536 },
        { "app.js", 20000 },
        { "app.js.br", 3000 },
        { "app.js.gz", 5000 },
        { "p4097.js.gz", 900 },
        { "page", 700 },
        { "page.html", 8000 },
        { "other/p4097.js", 6000 },
        { "other/page.html", 3000 },
        { "k256m.bin", 262143 },
        { "empty.bin", 0 },
        { "one.txt", 1 },
        { "p4095.html", 4095 },
        { "p4096.css", 4096 },
        { "k16", 16384 },
        { "k16p.txt", 16385 },
        { "k64m.bin", 65535 },
        { "k64p", 65537 },
        { "k256.bin", 262144 },
        { "k256p.bin", 262145 },
        { "m1.bin", 1048576 + 17 },
        { "index.html", 1234 },
        { "dir/index.html", 5000 },
        { "e404.html", 2000 },
        { "e405.html", 20000 },
        { "page.html.zst", 600 },
        { "other/page", 400 },
        { "other/index.html", 900 },
    };
    for (size_t i = 0; i < sizeof(REGULAR) / sizeof(REGULAR[0]); i++) {
        struct sim_node *node = node_add(files, REGULAR[i].name, SIM_REGULAR, REGULAR[i].size);
        node->changes = strncmp(node->name, "dir/", 4) != 0 && strstr(node->name, "index") == NULL;
    }
    node_add(files, "secret.txt", SIM_REGULAR, 100)->is_secret = true;
    node_add(files, "", SIM_DIRECTORY, 4096);
    node_add(files, "dir", SIM_DIRECTORY, 4096);
    node_add(files, "bare", SIM_DIRECTORY, 4096);
    node_add(files, "other", SIM_DIRECTORY, 4096);
    node_add(files, "pipe", SIM_FIFO, 0);
}

struct sim_node *sim_files_find(struct sim_files *files, const char *name)
{
    for (uint32_t i = 0; i < files->nodes_count; i++) {
        if (strcmp(files->nodes[i].name, name) == 0) {
            return &files->nodes[i];
        }
    }
    return NULL;
}

const struct sim_version *sim_node_now(const struct sim_node *node)
{
    return &node->versions[node->versions_count - 1];
}

const struct sim_node *sim_files_sibling(const struct sim_files *files, const struct sim_node *node,
                                         const char *suffix)
{
    size_t size = strlen(node->name);
    for (uint32_t i = 0; i < files->nodes_count; i++) {
        const char *name = files->nodes[i].name;
        if (strncmp(name, node->name, size) == 0 && strcmp(name + size, suffix) == 0) {
            return &files->nodes[i];
        }
    }
    return NULL;
}

int sim_files_open(struct sim_files *files, const char *path)
{
    for (uint32_t i = 0; i < files->nodes_count; i++) {
        const struct sim_node *node = &files->nodes[i];
        const struct sim_version *version = sim_node_now(node);
        size_t size = strlen(node->name);
        if (!version->exists) {
            continue;
        }
        if (strcmp(path, node->name) == 0) {
            return node->is_secret ? -EACCES : (int)version->inode;
        }
        if (size > 0 && strncmp(path, node->name, size) == 0 && path[size] == '/' &&
            node->kind != SIM_DIRECTORY) {
            return -ENOTDIR;
        }
    }
    return -ENOENT;
}

static void stat_fill(const struct sim_inode *from, uint32_t inode, struct stat *status)
{
    static const mode_t MODES[] = {
        [SIM_REGULAR] = S_IFREG | 0644,
        [SIM_DIRECTORY] = S_IFDIR | 0755,
        [SIM_FIFO] = S_IFIFO | 0644,
    };
    /* What has not changed since the start is a day old. */
    int64_t changed_s = from->changed_ns > 0 ? (int64_t)(from->changed_ns / 1000000000) : -86400;
    memset(status, 0, sizeof(*status));
    status->st_dev = 1;
    status->st_ino = inode + 1;
    status->st_mode = MODES[from->kind];
    status->st_size = (off_t)from->size;
    status->st_mtim.tv_sec = SIM_UTC_START_S + changed_s;
    status->st_mtim.tv_nsec = (long)(from->changed_ns % 1000000000);
    status->st_ctim = status->st_mtim;
}

void sim_files_stat(const struct sim_files *files, uint32_t inode, struct stat *status)
{
    stat_fill(&files->inodes[inode], inode, status);
}

void sim_version_stat(const struct sim_version *version, struct stat *status)
{
    struct sim_inode was = { .size = version->size, .changed_ns = version->changed_ns };
    stat_fill(&was, version->inode, status);
}

uint32_t sim_files_read(const struct sim_files *files, uint32_t inode, uint64_t offset, char *data,
                        uint32_t size)
{
    const struct sim_inode *from = &files->inodes[inode];
    if (offset >= from->size) {
        return 0;
    }
    uint32_t count = from->size - offset < size ? (uint32_t)(from->size - offset) : size;
    uint32_t content = from->content;
    for (uint32_t i = 0; i < count; i++) {
        data[i] = sim_byte(content, offset + i);
    }
    return count;
}

void sim_files_change(struct sim_files *files, struct sim_node *node, enum sim_change change,
                      uint64_t size, uint64_t now_ms)
{
    struct sim_version now = *sim_node_now(node);
    struct sim_inode *inode = &files->inodes[now.inode];
    /* No two changes carry the same time, as on kernels with fine timestamps. */
    uint64_t changed_ns = now_ms * 1000000 + files->stamp + 1;
    if (change == SIM_REPLACE || change == SIM_CREATE) {
        if (now.exists == (change == SIM_REPLACE)) {
            version_add(files, node, true, inode_add(files, node, size, changed_ns));
        }
        return;
    }
    if (!now.exists || (change == SIM_TRUNCATE && size >= now.size) ||
        (change == SIM_GROW && size <= now.size)) {
        return;
    }
    if (change == SIM_EDIT) {
        inode->content = content_new(files, node->name);
    } else if (change != SIM_DELETE) {
        inode->size = size;
    }
    inode->changed_ns = changed_ns;
    version_add(files, node, change != SIM_DELETE, now.inode);
}

static struct sim_node *node_choose(struct sim_files *files, struct sim_random *random)
{
    /* A few names change often, so that they change at the wrong moment. */
    if (!sim_random_chance(random, 700)) {
        return &files->nodes[sim_random_below(random, files->nodes_count)];
    }
    if (files->focus == NULL) {
        return &files->nodes[sim_random_below(random, SIM_HOT_COUNT)];
    }
    for (;;) {
        struct sim_node *node = &files->nodes[sim_random_below(random, files->nodes_count)];
        if (strncmp(node->name, files->focus, strlen(files->focus)) == 0) {
            return node;
        }
    }
}

void sim_files_change_any(struct sim_files *files, struct sim_random *random, uint64_t now_ms)
{
    struct sim_node *node = node_choose(files, random);
    if (!node->changes) {
        return;
    }
    enum sim_change change = (enum sim_change)sim_random_below(random, SIM_CHANGES_COUNT);
    if (!sim_node_now(node)->exists) {
        change = SIM_CREATE;
    } else if (change == SIM_CREATE) {
        change = SIM_REPLACE;
    }
    uint64_t size = sim_node_now(node)->size;
    switch (change) {
    case SIM_TRUNCATE:
        size = size > 0 ? sim_random_below(random, (uint32_t)size) : 0;
        break;
    case SIM_GROW:
        size += sim_random_between(random, 1, 5000);
        break;
    case SIM_REPLACE:
    case SIM_CREATE:
        size = sim_random_below(random, sim_random_chance(random, 300) ? 200000 : 20000);
        break;
    case SIM_EDIT:
    case SIM_DELETE:
    case SIM_CHANGES_COUNT:
        break;
    }
    sim_files_change(files, node, change, size, now_ms);
}
