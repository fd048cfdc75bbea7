/* exchange_rules: what the rules say of a request, before it is looked for, and of what is found.
 */
#include <stdlib.h>
#include <string.h>

#include "http/http_writer.h"
#include "server/answer.h"
#include "server/task.h"
#include "server/worker.h"

const struct policy *exchange_policy(struct worker *worker, struct exchange *exchange)
{
    const struct sites *sites = worker->settings.sites;
    if (!sites_has_rules(sites, exchange->site)) {
        return sites_policy(sites, exchange->site, SLICE("/"), &exchange->own_policy);
    }
    struct slice path = exchange_path(exchange);
    bool is_top = path.size == 1 && path.data[0] == '/'; /* the target of "/" is "", a directory */
    worker->path[0] = '/';
    memcpy(worker->path + 1, path.data, path.size);
    return sites_policy(sites, exchange->site, slice_of(worker->path, 1 + path.size - is_top),
                        &exchange->own_policy);
}

static bool is_granted(const struct exchange *exchange, uint32_t auth)
{
    bool granted = auth == 0;
    for (unsigned i = 0; i < exchange->grants_count; i++) {
        granted = granted || exchange->grants[i] == auth;
    }
    return granted;
}

void exchange_grant(struct exchange *exchange, uint32_t auth)
{
    if (is_granted(exchange, auth)) {
        return;
    }
    bool is_full = exchange->grants_count == EXCHANGE_GRANTS_MAX; /* it is another place by now */
    exchange->grants_count += !is_full;
    exchange->grants[exchange->grants_count - 1] = auth;
}

bool exchange_admit(struct worker *worker, struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    const struct policy *policy = exchange->policy;
    if (policy->deny != CONF_DENY_OFF) {
        exchange_conclude(worker, connection, policy->deny == CONF_DENY_HIDE ? 404 : 403);
        return false;
    }
    if (policy->redirect != 0) {
        /* Stored as "STATUS TARGET". */
        const char *text = conf_text(worker->settings.conf, policy->redirect);
        bool fits = answer_write_redirect(worker, exchange) <= HTTP_HEAD_LOCATION_SIZE_MAX;
        exchange->is_rule_redirect = fits;
        exchange_conclude(worker, connection, fits ? (unsigned)strtoul(text, NULL, 10) : 404);
        return false;
    }
    if (!is_granted(exchange, policy->auth)) {
        return task_authorize(worker, connection);
    }
    return true;
}

/* The address of the place, with its first '/'. Returns its size; too long for one: 0. */
static size_t write_address(struct worker *worker, const struct exchange *exchange)
{
    const struct candidate *place = &exchange->place;
    struct http_writer writer = { .data = worker->path, .size = sizeof(worker->path) };
    http_writer_append_byte(&writer, '/');
    if (place->offset > 0) { /* the name of a mount */
        http_writer_append(&writer, slice_of(exchange->target.path, place->offset - 1U));
        http_writer_append_byte(&writer, '/');
    }
    http_writer_append(&writer, slice_from_string(place->path));
    return writer.needed <= HTTP_PATH_SIZE_MAX ? writer.needed : 0;
}

/* Two rules that name the same password file. */
static bool is_same_text(const struct worker *worker, uint32_t a, uint32_t b)
{
    const struct conf *conf = worker->settings.conf;
    return a == b || strcmp(conf_text(conf, a), conf_text(conf, b)) == 0;
}

/* Whether the rules for another address, which the answer to this one comes from, let it go on,
 * too.
 */
static bool admit_address(struct worker *worker, struct connection *connection,
                          struct slice address)
{
    struct exchange *exchange = connection->exchange;
    struct policy own;
    const struct policy *found =
        sites_policy(worker->settings.sites, exchange->site, address, &own);
    bool is_guarded =
        found->auth != 0 && !is_same_text(worker, found->auth, exchange->policy->auth);
    if (found->deny == CONF_DENY_OFF && !is_guarded) {
        return true;
    }
    struct policy both = *exchange->policy;
    both.deny = found->deny;
    if (is_guarded) {
        /* A policy has place for one: a cached entry would forget the other. */
        exchange->has_two_guards = exchange->has_two_guards || both.auth != 0;
        both.auth = found->auth;
        both.auth_realm = found->auth_realm;
    }
    exchange->own_policy = both;
    exchange->policy = &exchange->own_policy;
    return exchange_admit(worker, connection);
}

bool exchange_admit_place(struct worker *worker, struct connection *connection)
{
    const struct exchange *exchange = connection->exchange;
    if (!exchange->place.is_derived || !sites_has_rules(worker->settings.sites, exchange->site)) {
        return true;
    }
    size_t size = write_address(worker, exchange);
    return size == 0 || /* too long for a rule to name it */
           admit_address(worker, connection, slice_of(worker->path, size));
}

bool exchange_admit_spa(struct worker *worker, struct connection *connection, struct slice page)
{
    return !sites_has_rules(worker->settings.sites, connection->exchange->site) ||
           admit_address(worker, connection, page);
}

/* Only a target made of thousands of slashes and dots has too long a Location. */
static bool can_redirect(const struct exchange *exchange)
{
    return !exchange->is_internal &&
           http_target_write_slash_redirect(exchange->request.path, &exchange->target,
                                            exchange->request.query, NULL,
                                            0) <= HTTP_HEAD_LOCATION_SIZE_MAX;
}

unsigned exchange_slash_status(struct worker *worker, const struct exchange *exchange)
{
    const struct http_target *target = &exchange->target;
    worker->path[0] = '/';
    memcpy(worker->path + 1, target->path, target->path_size);
    worker->path[1 + target->path_size] = '/';
    struct policy own;
    const struct policy *found =
        sites_policy(worker->settings.sites, exchange->site,
                     slice_of(worker->path, (size_t)target->path_size + 2), &own);
    if (found->deny != CONF_DENY_OFF) {
        return found->deny == CONF_DENY_HIDE ? 404 : 403;
    }
    return can_redirect(exchange) ? 301 : 404;
}
