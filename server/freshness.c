/* freshness: see the header. */
#include "server/freshness.h"

#include <errno.h>
#include <string.h>

#include "server/candidate.h"
#include "server/worker.h"

enum uring_symlinks freshness_symlinks(const struct conf *conf)
{
    switch (conf->symlinks) {
    case CONF_SYMLINKS_NONE:
        return URING_SYMLINKS_NONE;
    case CONF_SYMLINKS_ALL:
        return URING_SYMLINKS_ALL;
    case CONF_SYMLINKS_WITHIN:
        break;
    }
    return URING_SYMLINKS_WITHIN;
}

/* What a path that the entry depends on leads to. What lies behind a symlink changes where the
 * watch does not look: such an entry is compared at each use. */
static int stat_path(struct worker *worker, struct entry *entry, uint16_t root, const char *path,
                     struct stat *status)
{
    int directory = sites_root(worker->settings.sites, root);
    int error = uring_stat_path(worker->uring, directory, path, URING_SYMLINKS_NONE, status);
    if (error != -ELOOP) {
        return error;
    }
    entry->watched = false;
    return uring_stat_path(worker->uring, directory, path,
                           freshness_symlinks(worker->settings.conf), status);
}

/* --- siblings -----------------------------------------------------------------------------------
 */

/* Made from another version of the file. brotli(1) gives what it makes the file's time in whole
 * seconds: that is as good, where the sibling has been written since. */
static bool sibling_is_older(const struct entry_identity *file,
                             const struct entry_identity *sibling)
{
    if (sibling->modified_s != file->modified_s) {
        return sibling->modified_s < file->modified_s;
    }
    bool is_since =
        sibling->changed_s > file->modified_s ||
        (sibling->changed_s == file->modified_s && sibling->changed_ns >= file->modified_ns);
    bool is_whole = sibling->modified_ns == 0 && is_since;
    return sibling->modified_ns < file->modified_ns && !is_whole;
}

/* One that is no smaller has no use; one that is empty is still to be written: no coding makes
 * nothing of something. */
static bool sibling_is_good(const struct entry *entry, const struct entry_identity *sibling)
{
    const struct entry_identity *file = &entry->identity;
    return !sibling_is_older(file, sibling) && sibling->size > 0 && sibling->size < file->size;
}

/* Looks for the sibling of a coding. False: there is none that may be served. */
static bool sibling_find(struct worker *worker, struct entry *entry, enum http_coding coding,
                         struct entry_identity *identity)
{
    char path[CANDIDATE_PATH_SIZE_MAX + 1];
    struct slice suffix = http_coding_suffix(coding);
    size_t size = strlen(entry->path);
    if (size + suffix.size >= sizeof(path)) {
        return false;
    }
    memcpy(path, entry->path, size);
    memcpy(path + size, suffix.data, suffix.size);
    path[size + suffix.size] = '\0';
    struct stat status;
    if (stat_path(worker, entry, entry->root, path, &status) != 0 || !S_ISREG(status.st_mode)) {
        return false;
    }
    *identity = entry_identity_of(&status);
    return sibling_is_good(entry, identity);
}

static bool wants_siblings(const struct worker *worker, const struct entry *entry)
{
    return worker->settings.conf->precompressed == CONF_ON && entry->identity.size > 0;
}

static void siblings_find(struct worker *worker, struct entry *entry)
{
    for (unsigned coding = HTTP_CODING_IDENTITY + 1; coding < HTTP_CODINGS_COUNT; coding++) {
        struct entry_identity *identity = &entry->sibling_identities[coding];
        if (sibling_find(worker, entry, (enum http_coding)coding, identity)) {
            entry->siblings |= (uint8_t)(1U << coding);
        }
    }
}

static bool siblings_hold(struct worker *worker, struct entry *entry)
{
    for (unsigned coding = HTTP_CODING_IDENTITY + 1; coding < HTTP_CODINGS_COUNT; coding++) {
        struct entry_identity now;
        bool is_there = sibling_find(worker, entry, (enum http_coding)coding, &now);
        bool was_there = (entry->siblings & 1U << coding) != 0;
        if (is_there != was_there ||
            (is_there && !entry_identity_equal(&now, &entry->sibling_identities[coding]))) {
            return false;
        }
    }
    return true;
}

/* --- places before -----------------------------------------------------------------------------
 */

static struct candidate_source source_of(const struct worker *worker, const struct entry *entry)
{
    struct slice address = entry_address(entry);
    size_t size = address.size;
    bool is_directory = size == 0 || address.data[size - 1] == '/';
    return (struct candidate_source){
        .sites = worker->settings.sites,
        .conf = worker->settings.conf,
        .policy = &entry->policy,
        .site = entry->site,
        .path = slice_of(address.data, size - (size > 0 && is_directory)),
        .is_directory = is_directory,
    };
}

static bool candidate_is_missing(struct worker *worker, struct entry *entry,
                                 const struct candidate *candidate)
{
    struct stat status;
    if (stat_path(worker, entry, candidate->root, candidate->path, &status) != 0) {
        return true;
    }
    bool is_file = candidate->kind == CANDIDATE_FILE || candidate->kind == CANDIDATE_FILE_OR_SLASH;
    return is_file ? !S_ISREG(status.st_mode) : !S_ISDIR(status.st_mode);
}

static bool candidates_hold(struct worker *worker, struct entry *entry)
{
    struct candidate_source source = source_of(worker, entry);
    for (unsigned i = 0; i < entry->candidates_missed; i++) {
        struct candidate candidate;
        if (!candidate_get(&source, i, &candidate) ||
            !candidate_is_missing(worker, entry, &candidate)) {
            return false;
        }
    }
    return true;
}

/* Whether the watch would tell of anything that the entry depends on. */
static bool watch_entry(struct worker *worker, const struct entry *entry)
{
    const struct sites *sites = worker->settings.sites;
    bool watched = watch_path(&worker->watch, sites_root(sites, entry->root), entry->path);
    struct candidate_source source = source_of(worker, entry);
    for (unsigned i = 0; watched && i < entry->candidates_missed; i++) {
        struct candidate candidate;
        watched = candidate_get(&source, i, &candidate) &&
                  watch_path(&worker->watch, sites_root(sites, candidate.root), candidate.path);
    }
    return watched;
}

/* --- holding ------------------------------------------------------------------------------------
 */

static bool compare(struct worker *worker, struct entry *entry)
{
    struct stat status;
    if (entry->young || stat_path(worker, entry, entry->root, entry->path, &status) != 0) {
        return false;
    }
    struct entry_identity identity = entry_identity_of(&status);
    return entry_identity_equal(&identity, &entry->identity) &&
           (!wants_siblings(worker, entry) || siblings_hold(worker, entry)) &&
           candidates_hold(worker, entry);
}

bool freshness_holds(struct worker *worker, struct entry *entry)
{
    struct watch *watch = &worker->watch;
    if (entry->checked_batch == worker->batch) {
        return true;
    }
    if (entry->settles_s != 0 && worker->now_s >= entry->settles_s) {
        return false; /* its time of change lay ahead, or had just been: now it can be told as it is
                       */
    }
    watch_look(watch, worker->batch);
    if (entry->watched && entry->watch_epoch == watch->epoch &&
        worker->now_ms - entry->checked_ms < worker->settings.conf->cache_revalidate_ms) {
        return true;
    }
    entry->watch_epoch = watch->epoch;
    if (entry->watched && entry->watch_generation != watch->generation) {
        entry->watch_generation = watch->generation;
        entry->watched = watch_entry(worker, entry);
    }
    if (!compare(worker, entry)) {
        return false;
    }
    entry->checked_batch = worker->batch;
    entry->checked_ms = worker->now_ms;
    return true;
}

/* Nothing has changed between the look-up and the first watch, and no symlink is on the way. */
static bool is_plain(struct worker *worker, const struct entry *entry)
{
    struct stat status;
    if (uring_stat_path(worker->uring, sites_root(worker->settings.sites, entry->root), entry->path,
                        URING_SYMLINKS_NONE, &status) != 0) {
        return false;
    }
    struct entry_identity identity = entry_identity_of(&status);
    return entry_identity_equal(&identity, &entry->identity);
}

void freshness_start(struct worker *worker, struct entry *entry)
{
    entry->watch_epoch = worker->watch.epoch;
    entry->watch_generation = worker->watch.generation;
    entry->checked_ms = worker->now_ms;
    /* In this order: what came to be in a place before, or changed, shows here or in the watch. */
    entry->watched = watch_entry(worker, entry) && is_plain(worker, entry);
    if (entry->watched && !candidates_hold(worker, entry)) {
        entry->watched = false;
    }
    if (wants_siblings(worker, entry)) {
        siblings_find(worker, entry);
    }
}
