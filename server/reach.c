/* reach: see the header. */
#include "server/reach.h"

#include <assert.h>
#include <string.h>

#include "http/http_target.h"

/* An address: '/' first, and at the end of a directory's. */
struct address {
    size_t size;
    char text[1 + HTTP_PATH_SIZE_MAX + 1];
};

/* False: no request can have such a long one. */
static bool address_write(const struct reach *reach, struct slice path, bool is_directory,
                          struct address *address)
{
    struct slice directory = reach->directory;
    size_t slash_size = directory.size > 0;
    assert(path.size > 0);
    if (directory.size + slash_size + path.size > HTTP_PATH_SIZE_MAX) {
        return false;
    }
    char *end = address->text;
    *end++ = '/';
    if (directory.size > 0) {
        memcpy(end, directory.data, directory.size);
        end[directory.size] = '/';
        end += directory.size + 1;
    }
    memcpy(end, path.data, path.size);
    end += path.size;
    if (is_directory) {
        *end++ = '/';
    }
    address->size = (size_t)(end - address->text);
    return true;
}

static const struct policy *policy_of(const struct reach *reach, const struct address *address,
                                      struct policy *policy)
{
    return sites_policy(reach->sites, reach->site, slice_of(address->text, address->size), policy);
}

bool reach_lists(const struct reach *reach, struct slice path, bool is_directory)
{
    struct address address;
    struct policy policy;
    if (!sites_has_rules(reach->sites, reach->site)) {
        return true;
    }
    return address_write(reach, path, is_directory, &address) &&
           policy_of(reach, &address, &policy)->deny != CONF_DENY_HIDE;
}

static bool admits(const struct reach *reach, const struct policy *policy)
{
    return policy->auth == 0 || (reach->users != NULL &&
                                 strcmp(reach->users, conf_text(reach->conf, policy->auth)) == 0);
}

bool reach_archives(const struct reach *reach, struct slice path, bool is_directory)
{
    struct address address;
    struct policy policy;
    if (!address_write(reach, path, is_directory, &address)) {
        return false;
    }
    struct slice target = slice_of(address.text + 1, address.size - 1 - is_directory);
    if (sites_place(reach->sites, reach->site, target, is_directory).root != reach->root) {
        return false;
    }
    const struct policy *found = policy_of(reach, &address, &policy);
    return found->deny == CONF_DENY_OFF && admits(reach, found);
}
