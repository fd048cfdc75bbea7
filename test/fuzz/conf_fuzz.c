/* Any text: conf_parse() says yes, or names lines that exist, in order; what it accepted,
 * conf_print() writes so that it reads back to the same configuration. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "test/fuzz/fuzz.h"
#include "test/unit/conf_same.h"

static uint32_t lines_count(const char *text, size_t size)
{
    uint32_t count = 0;
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '\n' || i == size - 1) {
            count++;
        }
    }
    return count;
}

static void errors_check(const struct conf_errors *errors, uint32_t lines)
{
    uint32_t kept = errors->count < CONF_ERRORS_MAX ? errors->count : CONF_ERRORS_MAX;
    assert(errors->kept == kept);
    for (uint32_t i = 0; i < errors->kept; i++) {
        const char *text = errors->errors[i].text;
        assert(errors->errors[i].line >= 1);
        assert(errors->errors[i].line <= lines);
        assert(i == 0 || errors->errors[i - 1].line <= errors->errors[i].line);
        assert(memchr(text, '\0', sizeof(errors->errors[i].text)) != NULL);
        assert(strstr(text, "expected") != NULL || strlen(text) == CONF_ERROR_SIZE_MAX);
    }
}

static void listens_check(const struct conf *conf)
{
    assert(conf->listen_count <= CONF_LISTEN_MAX);
    for (uint32_t i = 0; i < conf->listen_count; i++) {
        struct conf_endpoint endpoint;
        assert(conf_listen_parse(conf->listen[i].address, &endpoint) == NULL);
        assert(strlen(endpoint.host) > 0);
    }
}

static void text_check(const struct conf *conf, uint32_t offset)
{
    assert(offset < conf->strings_used);
    assert(offset == 0 || conf->strings[offset - 1] == '\0');
    assert(conf_text(conf, offset)[0] != '\0' || offset == 0);
}

static void rule_check(const struct conf *conf, const struct conf_rule *rule)
{
    const uint32_t texts[] = { rule->pattern, rule->redirect, rule->cache,
                               rule->cors,    rule->auth,     rule->auth_realm,
                               rule->try,     rule->spa,      rule->headers };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        text_check(conf, texts[i]);
    }
    assert(rule->host == CONF_HOST_ALL || rule->host < conf->hosts_count);
    assert(strlen(conf_text(conf, rule->headers)) <= CONF_RULE_HEADERS_SIZE_MAX);
}

static void sections_check(const struct conf *conf)
{
    assert(conf->hosts_count <= CONF_HOSTS_MAX);
    assert(conf->mounts_count <= CONF_MOUNTS_MAX);
    assert(conf->rules_count <= CONF_RULES_MAX);
    assert(conf->strings_used <= CONF_STRINGS_SIZE);
    assert(conf->strings[0] == '\0');
    assert(conf->strings[conf->strings_used - 1] == '\0');
    rule_check(conf, &conf->files);
    for (uint32_t i = 0; i < conf->hosts_count; i++) {
        assert(conf->hosts[i].names != 0);
        text_check(conf, conf->hosts[i].names);
        text_check(conf, conf->hosts[i].root);
    }
    for (uint32_t i = 0; i < conf->mounts_count; i++) {
        assert(conf->mounts[i].prefix != 0);
        assert(conf->mounts[i].root != 0);
        text_check(conf, conf->mounts[i].prefix);
        text_check(conf, conf->mounts[i].root);
    }
    for (uint32_t i = 0; i < conf->rules_count; i++) {
        assert(conf->rules[i].pattern != 0);
        rule_check(conf, &conf->rules[i]);
    }
}

/* Too large for the stack; the caller frees it. */
static struct conf *conf_create(void)
{
    struct conf *conf = malloc(sizeof(*conf));
    assert(conf != NULL);
    conf_init(conf);
    return conf;
}

static void round_trip_check(const struct conf *conf)
{
    size_t size = conf_print(conf, NULL, 0);
    char *text = malloc(size + 1);
    assert(text != NULL);
    size_t again_size = conf_print(conf, text, size + 1);
    assert(again_size == size);
    assert(strlen(text) == size);
    struct conf *again = conf_create();
    struct conf_errors errors;
    bool is_read = conf_parse(text, size, again, &errors);
    assert(is_read);
    assert(conf_same(again, conf));
    assert(again->strings_used <= conf->strings_used);
    free(again);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct conf *conf = conf_create();
    struct conf_errors errors;
    bool is_read = conf_parse(text, size, conf, &errors);
    assert(is_read == (errors.count == 0));
    errors_check(&errors, lines_count(text, size));
    if (is_read) {
        listens_check(conf);
        sections_check(conf);
        round_trip_check(conf);
    }
    free(conf);
    return 0;
}
