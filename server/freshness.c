/* freshness: see the header. */
#include "server/freshness.h"

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
        entry->watched = watch_path(watch, entry->path);
    }
    struct stat status;
    if (entry->young || uring_stat_path(worker->uring, worker->settings.root, entry->path,
                                        freshness_symlinks(worker->settings.conf), &status) != 0) {
        return false;
    }
    struct entry_identity identity = entry_identity_of(&status);
    if (!entry_identity_equal(&identity, &entry->identity)) {
        return false;
    }
    entry->checked_batch = worker->batch;
    entry->checked_ms = worker->now_ms;
    return true;
}

void freshness_start(struct worker *worker, struct entry *entry)
{
    entry->watch_epoch = worker->watch.epoch;
    entry->watch_generation = worker->watch.generation;
    entry->checked_ms = worker->now_ms;
    struct stat status;
    if (watch_path(&worker->watch, entry->path) &&
        uring_stat_path(worker->uring, worker->settings.root, entry->path, URING_SYMLINKS_NONE,
                        &status) == 0) {
        struct entry_identity identity = entry_identity_of(&status);
        entry->watched = entry_identity_equal(&identity, &entry->identity);
    }
}
