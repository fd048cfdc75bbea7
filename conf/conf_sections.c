/* conf_sections: sections that there is one of hold keys of struct conf, and may be taken up again.
 * Those with an argument are each a new instance: its keys count from there, and what it lacks is
 * known at its end. An instance is made even of an argument that is wrong, so that what follows is
 * read as belonging to it, and not to the one before. */
#include "conf/conf_sections.h"

#include <assert.h>
#include <string.h>

#include "conf/conf_errors.h"
#include "conf/conf_syntax.h"

enum {
    EXCERPT_SIZE_MAX = 60,
};

void conf_sections_init(struct conf_sections *sections, struct conf *conf,
                        struct conf_errors *errors)
{
    memset(sections, 0, sizeof(*sections));
    sections->conf = conf;
    sections->errors = errors;
    sections->base = CONF_BASE_CONF;
    sections->is_skipped = true;
    sections->host = CONF_HOST_ALL;
}

size_t conf_key_index(const struct conf_key *key)
{
    size_t index = (size_t)(key - conf_keys);
    assert(index < conf_keys_count);
    assert(index < CONF_KEYS_MAX);
    return index;
}

static uint32_t key_line(const struct conf_sections *sections, const char *section,
                         const char *name)
{
    const struct conf_key *key = conf_key_find(section, name);
    assert(key != NULL);
    return sections->line_of[conf_key_index(key)];
}

static void mount_close(struct conf_sections *sections)
{
    const struct conf *conf = sections->conf;
    assert(conf->mounts_count > 0);
    if (key_line(sections, "mount", "root") == 0) {
        const char *prefix = conf_text(conf, conf->mounts[conf->mounts_count - 1].prefix);
        conf_errors_add(sections->errors, sections->line,
                        "[mount %.*s] without root: expected the directory to serve there",
                        EXCERPT_SIZE_MAX, prefix);
    }
}

static void rule_close(struct conf_sections *sections)
{
    const struct conf *conf = sections->conf;
    assert(conf->rules_count > 0);
    const struct conf_rule *rule = &conf->rules[conf->rules_count - 1];
    bool redirects = rule->redirect != 0 && strcmp(conf_text(conf, rule->redirect), "off") != 0;
    bool denies = rule->deny != CONF_UNSET && rule->deny != CONF_DENY_OFF;
    if (redirects && denies) {
        uint32_t redirect_line = key_line(sections, "path", "redirect");
        uint32_t deny_line = key_line(sections, "path", "deny");
        conf_errors_add(sections->errors, redirect_line > deny_line ? redirect_line : deny_line,
                        "redirect and deny in one [path]: expected one of them");
    }
}

void conf_section_close(struct conf_sections *sections)
{
    if (sections->is_skipped) {
        return;
    }
    if (sections->base == CONF_BASE_MOUNT) {
        mount_close(sections);
    } else if (sections->base == CONF_BASE_RULE) {
        rule_close(sections);
    }
}

void conf_section_skip(struct conf_sections *sections, uint32_t line)
{
    conf_section_close(sections);
    sections->line = line;
    sections->is_skipped = true;
}

/* Makes the argument's text the one of *offset, or reports why not. */
static void argument_keep(struct conf_sections *sections, const char *word, const char *argument,
                          const char *expected, const struct conf_draft *draft, uint32_t *offset)
{
    if (expected == NULL && !conf_string_set(sections->conf, offset, draft->text, draft->size)) {
        expected = CONF_STRINGS_FULL;
    }
    if (expected != NULL) {
        conf_errors_add(sections->errors, sections->line, "[%s %.*s%s]: %s", word, EXCERPT_SIZE_MAX,
                        argument, strlen(argument) > EXCERPT_SIZE_MAX ? "..." : "", expected);
    }
}

static bool count_check(struct conf_sections *sections, const char *word, uint32_t count,
                        uint32_t max)
{
    if (count == max) {
        conf_errors_add(sections->errors, sections->line,
                        "one more [%s]: expected at most %u such sections", word, max);
        return false;
    }
    return true;
}

static bool host_open(struct conf_sections *sections, const char *argument)
{
    struct conf *conf = sections->conf;
    if (!count_check(sections, "host", conf->hosts_count, CONF_HOSTS_MAX)) {
        return false;
    }
    struct conf_host *host = &conf->hosts[conf->hosts_count];
    struct conf_draft draft = { .size = 0 };
    memset(host, 0, sizeof(*host));
    host->line = sections->line;
    const char *expected = conf_host_names_read(conf, argument, &draft);
    argument_keep(sections, "host", argument, expected, &draft, &host->names);
    sections->host = (uint16_t)conf->hosts_count;
    conf->hosts_count++;
    return true;
}

static bool mount_open(struct conf_sections *sections, const char *argument)
{
    struct conf *conf = sections->conf;
    if (!count_check(sections, "mount", conf->mounts_count, CONF_MOUNTS_MAX)) {
        return false;
    }
    struct conf_mount *mount = &conf->mounts[conf->mounts_count];
    struct conf_draft draft = { .size = 0 };
    memset(mount, 0, sizeof(*mount));
    mount->host = sections->host;
    mount->line = sections->line;
    const char *expected = conf_mount_prefix_read(conf, sections->host, argument, &draft);
    argument_keep(sections, "mount", argument, expected, &draft, &mount->prefix);
    conf->mounts_count++;
    return true;
}

static bool rule_open(struct conf_sections *sections, const char *argument)
{
    struct conf *conf = sections->conf;
    if (!count_check(sections, "path", conf->rules_count, CONF_RULES_MAX)) {
        return false;
    }
    struct conf_rule *rule = &conf->rules[conf->rules_count];
    struct conf_draft draft = { .size = 0 };
    memset(rule, 0, sizeof(*rule));
    rule->host = sections->host;
    rule->line = sections->line;
    rule->deny = CONF_UNSET;
    rule->listing = CONF_UNSET;
    rule->archive = CONF_UNSET;
    uint32_t captures_count = 0;
    const char *expected = conf_glob_check(argument, &captures_count);
    if (expected == NULL) {
        conf_draft_append(&draft, argument, strlen(argument));
    }
    argument_keep(sections, "path", argument, expected, &draft, &rule->pattern);
    conf->rules_count++;
    return true;
}

/* The keys of a new instance have not been given yet. */
static void rows_reset(struct conf_sections *sections)
{
    for (uint32_t i = 0; i < conf_keys_count; i++) {
        if (conf_keys[i].base == sections->base) {
            sections->line_of[i] = 0;
            sections->is_bad[i] = false;
        }
    }
}

static bool argument_check(struct conf_sections *sections, const char *word, const char *argument)
{
    const char *form = conf_section_form(word);
    if (form == NULL && argument[0] != '\0') {
        conf_errors_add(sections->errors, sections->line,
                        "[%s %.*s]: expected [%s], without an argument", word, EXCERPT_SIZE_MAX,
                        argument, word);
        return false;
    }
    if (form != NULL && argument[0] == '\0') {
        conf_errors_add(sections->errors, sections->line, "[%s]: expected [%s %s]", word, word,
                        form);
        return false;
    }
    return true;
}

void conf_section_open(struct conf_sections *sections, uint32_t line, const char *word,
                       const char *argument)
{
    conf_section_close(sections);
    sections->line = line;
    sections->is_skipped = true;
    char known[CONF_ERROR_SIZE_MAX];
    if (!conf_section_is_known(word)) {
        conf_sections_write(known, sizeof(known));
        conf_errors_add(sections->errors, line, "unknown section [%.*s]: expected one of %s",
                        EXCERPT_SIZE_MAX, word, known);
        return;
    }
    if (!argument_check(sections, word, argument)) {
        return;
    }
    sections->base = conf_section_base(word);
    bool is_open = true;
    if (sections->base == CONF_BASE_HOST) {
        is_open = host_open(sections, argument);
    } else if (sections->base == CONF_BASE_MOUNT) {
        is_open = mount_open(sections, argument);
    } else if (sections->base == CONF_BASE_RULE) {
        is_open = rule_open(sections, argument);
    }
    if (sections->base != CONF_BASE_CONF) {
        rows_reset(sections);
    }
    sections->is_skipped = !is_open;
}
