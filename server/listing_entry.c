/* listing_entry: see the header. */
#include "server/listing_entry.h"

#include <string.h>

#include "http/http_writer.h"
#include "server/exchange.h"
#include "server/listing.h"
#include "server/worker.h"

/* What the rules bring, and what keeps a file's name from acting: in the place of a policy that the
 * rules have for the files, which need not allow the page its style. */
static struct slice write_lines(struct worker *worker, const struct exchange *exchange)
{
    struct http_writer writer = { .data = worker->lines, .size = sizeof(worker->lines) };
    writer.needed =
        policy_write_lines(worker->settings.conf, exchange->policy,
                           SLICE("Content-Security-Policy"), worker->lines, sizeof(worker->lines));
    http_writer_append(&writer, SLICE("Content-Security-Policy: "));
    http_writer_append(&writer, http_listing_csp());
    http_writer_append(&writer, SLICE("\r\n"));
    return slice_of(worker->lines, writer.needed);
}

struct entry *listing_entry_create(struct worker *worker, const struct exchange *exchange,
                                   const struct listing *listing, const uint8_t *digest)
{
    if (worker->live_bytes > 2 * worker->settings.conf->cache_bytes_max) {
        return NULL;
    }
    struct slice body = slice_of(listing->data, listing->size);
    struct entry *entry = entry_create_body(SLICE(""), listing->path, body);
    if (entry == NULL) {
        return NULL;
    }
    entry_account(entry, &worker->live_bytes);
    entry->type = http_listing_type(listing->query.format);
    entry->policy = *exchange->policy;
    entry->varies_by_accept = true;
    entry->cache_control = policy_cache_control_of_made(worker->settings.conf, exchange->policy);
    entry->lines = write_lines(worker, exchange);
    entry->has_digest = digest != NULL;
    if (digest != NULL) {
        memcpy(entry->digest, digest, sizeof(entry->digest));
    }
    entry->has_no_etag = !entry->has_digest;
    if (entry->lines.size > sizeof(worker->lines) || !entry_render(entry, worker->now_s)) {
        entry_release(worker->uring, entry);
        return NULL;
    }
    return entry;
}
