/* policy: see the header. */
#include "server/policy.h"

#include <assert.h>
#include <string.h>

#include "http/http_name.h"
#include "http/http_writer.h"

struct slice policy_text(const struct conf *conf, uint32_t offset)
{
    return offset == 0 ? SLICE_NONE : slice_from_string(conf_text(conf, offset));
}

static bool text_is_off(const struct conf *conf, uint32_t offset)
{
    return strcmp(conf_text(conf, offset), "off") == 0;
}

static void text_stack(const struct conf *conf, uint32_t given, uint32_t *field)
{
    if (given != 0) {
        *field = text_is_off(conf, given) ? 0 : given;
    }
}

static void switch_stack(uint32_t given, bool *field)
{
    if (given != CONF_UNSET) {
        *field = given == CONF_ON;
    }
}

/* Lays a rule over what the earlier ones have said. */
static void rule_stack(const struct conf *conf, const struct conf_rule *rule, struct policy *policy)
{
    if (rule->deny != CONF_UNSET) {
        policy->deny = rule->deny;
    }
    switch_stack(rule->listing, &policy->listing);
    switch_stack(rule->archive, &policy->archive);
    if (rule->redirect != 0) {
        policy->redirect_pattern = rule->pattern;
    }
    text_stack(conf, rule->redirect, &policy->redirect);
    if (rule->cache != 0) {
        policy->cache = rule->cache; /* "off" is a value of its own: no Cache-Control at all */
    }
    text_stack(conf, rule->cors, &policy->cors);
    text_stack(conf, rule->auth, &policy->auth);
    text_stack(conf, rule->auth_realm, &policy->auth_realm);
    text_stack(conf, rule->try, &policy->try_list);
    text_stack(conf, rule->spa, &policy->spa);
}

static void headers_stack(const struct conf_rule *rule, uint16_t index, struct policy *policy)
{
    if (rule->headers == 0) {
        return;
    }
    if (policy->header_rules_count == POLICY_HEADER_RULES_MAX) {
        memmove(policy->header_rules, policy->header_rules + 1,
                (POLICY_HEADER_RULES_MAX - 1) * sizeof(policy->header_rules[0]));
        policy->header_rules_count--;
    }
    policy->header_rules[policy->header_rules_count++] = index;
}

void policy_start(const struct conf *conf, struct policy *policy)
{
    *policy = (struct policy){ 0 };
    rule_stack(conf, &conf->files, policy);
    if (conf->dev == CONF_ON) {
        policy->listing = true;
    }
}

void policy_stack(const struct conf *conf, uint16_t index, struct policy *policy)
{
    assert(index < conf->rules_count);
    rule_stack(conf, &conf->rules[index], policy);
    headers_stack(&conf->rules[index], index, policy);
}

struct slice policy_cache_control(const struct conf *conf, const struct policy *policy,
                                  struct slice path)
{
    if (conf->dev == CONF_ON) {
        return SLICE("no-store");
    }
    struct slice given = policy_text(conf, policy->cache);
    if (slice_equal(given, SLICE("off"))) {
        return SLICE_NONE;
    }
    if (given.data != NULL && !slice_equal(given, SLICE("auto"))) {
        return given;
    }
    if (http_name_is_hashed(path)) {
        return policy->auth != 0 ? SLICE("private, max-age=31536000, immutable")
                                 : SLICE("public, max-age=31536000, immutable");
    }
    return policy_cache_control_of_made(conf, policy);
}

struct slice policy_cache_control_of_made(const struct conf *conf, const struct policy *policy)
{
    if (conf->dev == CONF_ON) {
        return SLICE("no-store");
    }
    return policy->auth != 0 ? SLICE("private, no-cache") : SLICE("no-cache");
}

/* The name of a header line, and the line whole; both are cut off the front of *lines. */
static struct slice line_take(struct slice *lines, struct slice *name)
{
    const char *end = memchr(lines->data, '\n', lines->size);
    assert(end != NULL);
    struct slice line = slice_of(lines->data, (size_t)(end - lines->data) + 1);
    const char *colon = memchr(line.data, ':', line.size);
    assert(colon != NULL);
    *name = slice_of(line.data, (size_t)(colon - line.data));
    *lines = slice_of(lines->data + line.size, lines->size - line.size);
    return line;
}

static bool lines_have(struct slice lines, struct slice wanted)
{
    while (lines.size > 0) {
        struct slice name;
        (void)line_take(&lines, &name);
        if (slice_equal_ignoring_case(name, wanted)) {
            return true;
        }
    }
    return false;
}

static struct slice header_lines(const struct conf *conf, const struct policy *policy, size_t i)
{
    return slice_from_string(conf_text(conf, conf->rules[policy->header_rules[i]].headers));
}

static bool is_overruled(const struct conf *conf, const struct policy *policy, size_t index,
                         struct slice name)
{
    for (size_t i = index + 1; i < policy->header_rules_count; i++) {
        if (lines_have(header_lines(conf, policy, i), name)) {
            return true;
        }
    }
    return false;
}

size_t policy_write_lines(const struct conf *conf, const struct policy *policy, struct slice own,
                          char *buffer, size_t size)
{
    struct http_writer writer = { .data = buffer, .size = size };
    for (size_t i = 0; i < policy->header_rules_count; i++) {
        struct slice lines = header_lines(conf, policy, i);
        while (lines.size > 0) {
            struct slice name;
            struct slice line = line_take(&lines, &name);
            bool takes_back = line.size == name.size + sizeof(": \r\n") - 1;
            if (!takes_back && !slice_equal_ignoring_case(name, own) &&
                !is_overruled(conf, policy, i, name)) {
                http_writer_append(&writer, line);
            }
        }
    }
    return writer.needed;
}
