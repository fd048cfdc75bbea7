/* candidate: see the header. A list of items is walked; each stands for some candidates, and the
 * one asked for is written when its turn comes. */
#include "server/candidate.h"

#include <assert.h>
#include <string.h>

struct walk {
    const struct candidate_source *source;
    unsigned left; /* candidates to pass over before the one that is wanted */
    struct candidate *candidate;
};

/* Appends to an address, of which there is room for all that a target and an item make. */
static void append(char *address, size_t *size, struct slice text)
{
    assert(text.size <= CANDIDATE_PATH_SIZE_MAX - *size);
    if (text.size > 0) {
        memcpy(address + *size, text.data, text.size);
    }
    *size += text.size;
}

/* Counts one candidate; writes it when it is the one: the path, and text behind it. */
static bool offer(struct walk *walk, enum candidate_kind kind, struct slice path, bool is_directory,
                  struct slice behind)
{
    if (walk->left > 0) {
        walk->left--;
        return false;
    }
    if (path.size == 0 && behind.size > 0 && behind.data[0] == '/') {
        behind = slice_of(behind.data + 1, behind.size - 1);
    }
    char address[CANDIDATE_PATH_SIZE_MAX];
    size_t size = 0;
    append(address, &size, path);
    append(address, &size, behind);
    struct candidate *candidate = walk->candidate;
    struct site_place place =
        sites_place(walk->source->sites, walk->source->site, slice_of(address, size), is_directory);
    candidate->kind = kind;
    candidate->root = place.root;
    candidate->offset = place.offset;
    candidate->is_derived = behind.size > 0 || path.data != walk->source->path.data;
    memcpy(candidate->path, address + place.offset, size - place.offset);
    candidate->path[size - place.offset] = '\0';
    return true;
}

/* The index of a directory, then the directory itself. */
static bool offer_index(struct walk *walk)
{
    const struct candidate_source *source = walk->source;
    for (uint32_t i = 0; i < source->conf->index_count; i++) {
        char name[1 + CONF_NAME_SIZE_MAX + 1] = "/";
        size_t size = strlen(source->conf->index[i]);
        memcpy(name + 1, source->conf->index[i], size);
        if (offer(walk, CANDIDATE_FILE, source->path, false, slice_of(name, 1 + size))) {
            return true;
        }
    }
    return offer(walk, CANDIDATE_DIRECTORY, source->path, true, SLICE_NONE);
}

/* "$uri", "$uri/", "$uri.html", "$uri/name", "/fixed". */
static bool offer_item(struct walk *walk, struct slice item)
{
    const struct candidate_source *source = walk->source;
    struct slice uri = SLICE("$uri");
    if (item.size < uri.size || memcmp(item.data, uri.data, uri.size) != 0) {
        struct slice fixed = slice_of(item.data + 1, item.size - 1);
        return offer(walk, CANDIDATE_FILE, fixed, false, SLICE_NONE);
    }
    struct slice behind = slice_of(item.data + uri.size, item.size - uri.size);
    if (slice_equal(behind, SLICE("/"))) {
        return source->is_directory ? offer_index(walk)
                                    : offer(walk, CANDIDATE_SLASH, source->path, false, SLICE_NONE);
    }
    bool is_beneath = behind.size > 0 && behind.data[0] == '/';
    return (!source->is_directory || is_beneath) &&
           offer(walk, CANDIDATE_FILE, source->path, false, behind);
}

bool candidate_get(const struct candidate_source *source, unsigned number,
                   struct candidate *candidate)
{
    struct walk walk = { .source = source, .left = number, .candidate = candidate };
    struct slice list = policy_text(source->conf, source->policy->try_list);
    if (list.data == NULL) {
        return source->is_directory
                   ? offer_index(&walk)
                   : offer(&walk, CANDIDATE_FILE_OR_SLASH, source->path, false, SLICE_NONE);
    }
    while (list.size > 0) {
        const char *blank = memchr(list.data, ' ', list.size);
        size_t size = blank != NULL ? (size_t)(blank - list.data) : list.size;
        struct slice item = slice_of(list.data, size);
        if (item.data[0] == '=') {
            return false; /* "=404", the last: nothing else is tried */
        }
        if (offer_item(&walk, item)) {
            return true;
        }
        size_t taken = blank != NULL ? size + 1 : size;
        list = slice_of(list.data + taken, list.size - taken);
    }
    return false;
}
