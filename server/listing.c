/* listing: see the header. Names go end to end into one block as they are read; the items point
 * into it only once it has stopped growing. The output is counted first, then written into a block
 * of its size. */
#include "server/listing.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    ITEMS_FIRST = 64,
    NAMES_SIZE_FIRST = 4096,
    TRIES_MAX = 3, /* of a look that a rename elsewhere has upset */
    FULL_PATH_SIZE_MAX = HTTP_PATH_SIZE_MAX + 1 + HTTP_SEGMENT_SIZE_MAX,
    SHOWN_PATH_SIZE_MAX = HTTP_PATH_SIZE_MAX + 1 + HTTP_PATH_SIZE_MAX,
};

/* What was read so far. */
struct content {
    struct http_listing_item *items; /* their names have a size, and no place until the end */
    size_t items_count;
    size_t items_room;
    char *names;
    size_t names_size;
    size_t names_room;
    uint64_t left_out_count;
};

/* --- one entry -------------------------------------------------------------------------------- */

/* openat2(2) reports EAGAIN when it cannot tell, because of a rename, whether "..", met on the way,
 * has left the root. */
static int open_within(int root, const char *path)
{
    struct open_how how = { .flags = O_PATH | O_CLOEXEC,
                            .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
    for (unsigned i = 0; i < TRIES_MAX; i++) {
        int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
        if (fd >= 0 || errno != EAGAIN) {
            return fd >= 0 ? fd : -errno;
        }
    }
    return -EAGAIN;
}

static int stat_within(const struct listing *listing, const char *name, struct stat *status)
{
    char path[FULL_PATH_SIZE_MAX + 1];
    int size = snprintf(path, sizeof(path), "%s%s%s", listing->path,
                        listing->path[0] != '\0' ? "/" : "", name);
    assert(size > 0);
    assert((size_t)size < sizeof(path));
    int fd = open_within(listing->root, path);
    if (fd < 0) {
        return fd;
    }
    int error = fstat(fd, status) == 0 ? 0 : -errno;
    close(fd);
    return error;
}

/* What the symlink leads to, by the rule. */
static int stat_link(const struct listing *listing, int directory, const char *name,
                     struct stat *status)
{
    switch (listing->symlinks) {
    case URING_SYMLINKS_WITHIN:
        return stat_within(listing, name, status);
    case URING_SYMLINKS_ALL:
        return fstatat(directory, name, status, 0) == 0 ? 0 : -errno;
    case URING_SYMLINKS_NONE:
        break;
    }
    return -ELOOP;
}

/* Whether the listing as a whole cannot go on; any other error is about this entry alone. */
static bool error_is_of_the_system(int error)
{
    return error == -ENOMEM || error == -EMFILE || error == -ENFILE || error == -EIO;
}

/* Fills all but the name. Returns 1, 0 for an entry that is not listed, or -errno. */
static int item_read(const struct listing *listing, int directory, const char *name,
                     struct http_listing_item *item)
{
    struct stat status;
    int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT;
    int error = fstatat(directory, name, &status, flags) == 0 ? 0 : -errno;
    bool is_link = error == 0 && S_ISLNK(status.st_mode);
    if (is_link) {
        error = stat_link(listing, directory, name, &status);
    }
    if (error != 0) {
        return error_is_of_the_system(error) ? error : 0;
    }
    bool is_directory = S_ISDIR(status.st_mode);
    if (!is_directory && !S_ISREG(status.st_mode)) {
        return 0;
    }
    if (listing->reach != NULL &&
        !reach_lists(listing->reach, slice_from_string(name), is_directory)) {
        return 0;
    }
    *item = (struct http_listing_item){
        .size = is_directory ? 0 : (uint64_t)status.st_size,
        .mtime_s = status.st_mtim.tv_sec,
        .kind = is_directory ? HTTP_LISTING_DIRECTORY : HTTP_LISTING_FILE,
        .is_link = is_link,
    };
    return 1;
}

/* --- the directory ---------------------------------------------------------------------------- */

/* Grows a block to hold `needed` elements, at least doubling it. Returns 0 or -ENOMEM. */
static int grow(void **block, size_t *room, size_t needed, size_t element_size, size_t first)
{
    if (needed <= *room) {
        return 0;
    }
    size_t larger = *room > 0 ? 2 * *room : first;
    assert(larger >= needed);
    void *grown = reallocarray(*block, larger, element_size);
    if (grown == NULL) {
        return -ENOMEM;
    }
    *block = grown;
    *room = larger;
    return 0;
}

static int content_add(struct content *content, const struct http_listing_item *item,
                       const char *name)
{
    size_t name_size = strlen(name);
    assert(name_size > 0);
    assert(name_size <= HTTP_SEGMENT_SIZE_MAX);
    void *items = content->items;
    int error =
        grow(&items, &content->items_room, content->items_count + 1, sizeof(*item), ITEMS_FIRST);
    content->items = items;
    void *names = content->names;
    if (error == 0) {
        error = grow(&names, &content->names_room, content->names_size + name_size, 1,
                     NAMES_SIZE_FIRST);
        content->names = names;
    }
    if (error != 0) {
        return error;
    }
    content->items[content->items_count] = *item;
    content->items[content->items_count].name.size = name_size;
    content->items_count++;
    memcpy(content->names + content->names_size, name, name_size);
    content->names_size += name_size;
    return 0;
}

/* Some file systems have names that are longer than an address may ask for. */
static bool name_is_listed(const struct listing *listing, const char *name)
{
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strlen(name) > HTTP_SEGMENT_SIZE_MAX) {
        return false;
    }
    return name[0] != '.' || listing->show_dotfiles;
}

/* What a full listing counts without looking at the file: a link may lead nowhere, but to find out
 * for each of a million of them would take too long. */
static bool type_may_be_listed(const struct listing *listing, unsigned char type)
{
    return type == DT_REG || type == DT_DIR || type == DT_UNKNOWN ||
           (type == DT_LNK && listing->symlinks != URING_SYMLINKS_NONE);
}

static int entry_read(const struct listing *listing, int directory, const struct dirent *entry,
                      struct content *content)
{
    if (!name_is_listed(listing, entry->d_name)) {
        return 0;
    }
    if (content->items_count == LISTING_ENTRIES_MAX) {
        content->left_out_count += type_may_be_listed(listing, entry->d_type);
        return 0;
    }
    struct http_listing_item item;
    int found = item_read(listing, directory, entry->d_name, &item);
    return found > 0 ? content_add(content, &item, entry->d_name) : found;
}

/* The names get their places, in the order in which they were added. */
static void content_settle(struct content *content)
{
    size_t at = 0;
    for (size_t i = 0; i < content->items_count; i++) {
        content->items[i].name.data = content->names + at;
        at += content->items[i].name.size;
    }
    assert(at == content->names_size);
}

static int entries_read(const struct listing *listing, DIR *stream, struct content *content)
{
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(stream);
        if (entry == NULL) {
            return -errno;
        }
        int error = entry_read(listing, dirfd(stream), entry, content);
        if (error != 0) {
            return error;
        }
    }
}

/* Opens the directory anew: a descriptor that is only duplicated would share its position. */
static int content_read(const struct listing *listing, struct content *content)
{
    int fd = openat(listing->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    DIR *stream = fdopendir(fd);
    if (stream == NULL) {
        int error = -errno;
        close(fd);
        return error;
    }
    int error = entries_read(listing, stream, content);
    closedir(stream);
    if (error == 0) {
        content_settle(content);
    }
    return error;
}

/* --- the output ------------------------------------------------------------------------------- */

static size_t write_form(const struct http_listing *form, char *data, size_t size)
{
    struct http_writer writer = { .data = data, .size = size };
    if (form->query.format == HTTP_LISTING_FORMAT_JSON) {
        http_listing_write_json(form, &writer);
    } else {
        http_listing_write_html(form, &writer);
    }
    return writer.needed;
}

/* The path as addresses have it: the mount, then what is beneath. */
static struct slice shown_path(const struct listing *listing, char buffer[SHOWN_PATH_SIZE_MAX])
{
    assert(listing->mount.size <= HTTP_PATH_SIZE_MAX);
    struct slice path = slice_from_string(listing->path);
    struct http_writer writer = { .data = buffer, .size = SHOWN_PATH_SIZE_MAX };
    http_writer_append(&writer, listing->mount);
    http_writer_append(&writer, listing->mount.size > 0 && path.size > 0 ? SLICE("/") : SLICE(""));
    http_writer_append(&writer, path);
    assert(writer.needed <= SHOWN_PATH_SIZE_MAX);
    return slice_of(buffer, writer.needed);
}

/* Long names that must be escaped can need more than the output may have: then the half that comes
 * last is left out, until the rest fits. */
static int content_write(struct listing *listing, const struct content *content)
{
    char path[SHOWN_PATH_SIZE_MAX];
    struct http_listing form = {
        .path = shown_path(listing, path),
        .items = content->items,
        .items_count = content->items_count,
        .left_out_count = content->left_out_count,
        .query = listing->query,
        .archive_is_offered = listing->offer_archive,
    };
    size_t size = write_form(&form, NULL, 0);
    while (size > LISTING_BYTES_MAX) {
        assert(form.items_count > 0);
        form.left_out_count += form.items_count - form.items_count / 2;
        form.items_count /= 2;
        size = write_form(&form, NULL, 0);
    }
    char *data = malloc(size);
    if (data == NULL) {
        return -ENOMEM;
    }
    size_t written = write_form(&form, data, size);
    assert(written == size);
    listing->data = data;
    listing->size = size;
    return 0;
}

void listing_run(struct listing *listing)
{
    struct content content = { .items = NULL };
    listing->data = NULL;
    listing->size = 0;
    listing->error = content_read(listing, &content);
    if (listing->error == 0) {
        http_listing_sort(content.items, content.items_count, listing->query);
        listing->error = content_write(listing, &content);
    }
    free(content.items);
    free(content.names);
    assert((listing->error == 0) == (listing->data != NULL));
}
