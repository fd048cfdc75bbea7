/* eviction: see the header. Invariant: an entry is in exactly one of the two lists, which
 * `in_main` tells; the units of a queue are the sum of its entries'. */
#include "server/eviction.h"

#include <errno.h>
#include <stdlib.h>

#include "server/entry.h"

int eviction_create(struct eviction *eviction, uint32_t ghosts_max)
{
    *eviction = (struct eviction){ .ghosts_age_max = ghosts_max };
    list_init(&eviction->small);
    list_init(&eviction->main);
    if (ghosts_max == 0) {
        return 0;
    }
    eviction->ghosts_count = 1;
    while (eviction->ghosts_count < ghosts_max) {
        eviction->ghosts_count *= 2;
    }
    eviction->ghosts = calloc(eviction->ghosts_count, sizeof(*eviction->ghosts));
    return eviction->ghosts != NULL ? 0 : -ENOMEM;
}

void eviction_destroy(struct eviction *eviction)
{
    free(eviction->ghosts);
    eviction->ghosts = NULL;
}

bool eviction_is_empty(const struct eviction *eviction)
{
    return list_is_empty(&eviction->small) && list_is_empty(&eviction->main);
}

/* --- ghosts ------------------------------------------------------------------------------------
 */

/* Two names may share a place: the later one has it. */
static struct eviction_ghost *ghost_of(const struct eviction *eviction, uint64_t hash)
{
    return &eviction->ghosts[hash & (eviction->ghosts_count - 1)];
}

static void ghost_add(struct eviction *eviction, uint64_t hash)
{
    if (eviction->ghosts == NULL) {
        return;
    }
    eviction->evicted_count += eviction->evicted_count == UINT32_MAX ? 2 : 1; /* never 0 again */
    *ghost_of(eviction, hash) = (struct eviction_ghost){
        .fingerprint = (uint32_t)(hash >> 32),
        .stamp = eviction->evicted_count,
    };
}

static bool ghost_take(struct eviction *eviction, uint64_t hash)
{
    if (eviction->ghosts == NULL) {
        return false;
    }
    struct eviction_ghost *ghost = ghost_of(eviction, hash);
    bool is_it = ghost->stamp != 0 && ghost->fingerprint == (uint32_t)(hash >> 32) &&
                 eviction->evicted_count - ghost->stamp < eviction->ghosts_age_max;
    if (is_it) {
        ghost->stamp = 0;
    }
    return is_it;
}

/* --- queues ------------------------------------------------------------------------------------
 */

static void append(struct eviction *eviction, struct entry *entry, bool in_main)
{
    entry->in_main = in_main;
    entry->frequency = 0;
    if (in_main) {
        list_append(&eviction->main, &entry->age);
        eviction->main_units += entry->units;
    } else {
        list_append(&eviction->small, &entry->age);
        eviction->small_units += entry->units;
    }
}

void eviction_insert(struct eviction *eviction, struct entry *entry)
{
    bool is_back = ghost_take(eviction, entry->hash);
    append(eviction, entry, entry->in_main || is_back);
}

void eviction_remove(struct eviction *eviction, struct entry *entry)
{
    assert(list_contains(&entry->age));
    uint64_t *sum = entry->in_main ? &eviction->main_units : &eviction->small_units;
    assert(*sum >= entry->units);
    *sum -= entry->units;
    list_remove(&entry->age);
}

static bool small_is_due(const struct eviction *eviction)
{
    uint64_t units = eviction->small_units + eviction->main_units;
    return !list_is_empty(&eviction->small) &&
           (eviction->small_units > units / EVICTION_SMALL_PART || list_is_empty(&eviction->main));
}

struct entry *eviction_pick(struct eviction *eviction)
{
    assert(!eviction_is_empty(eviction));
    for (;;) { /* each turn promotes one entry for good, or lowers a counter */
        bool is_small = small_is_due(eviction);
        struct list *list = is_small ? &eviction->small : &eviction->main;
        struct entry *entry = LIST_ITEM(list_first(list), struct entry, age);
        if (is_small && entry->frequency < EVICTION_FREQUENCY_STAY) {
            ghost_add(eviction, entry->hash);
            return entry;
        }
        if (!is_small && entry->frequency == 0) {
            return entry;
        }
        uint8_t frequency = is_small ? 0 : (uint8_t)(entry->frequency - 1);
        eviction_remove(eviction, entry);
        append(eviction, entry, true);
        entry->frequency = frequency;
    }
}
