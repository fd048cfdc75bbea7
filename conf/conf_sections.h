/* conf_sections: what a [SECTION] line opens, and what must hold when the section ends. */
#ifndef GYRE_CONF_SECTIONS_H
#define GYRE_CONF_SECTIONS_H

#include "conf/conf_keys.h"
#include "conf/conf_strings.h"

struct conf_sections {
    struct conf *conf;
    struct conf_errors *errors;
    enum conf_base base; /* of the open section */
    uint32_t line;       /* of the open section; 0: none yet */
    bool is_skipped;     /* its keys are not to be read */
    uint16_t host;       /* what the next [mount] or [path] belongs to */
    /* Where each row was given, in the open section where its base has instances; 0: not in this
     * text. And whether it was complained about. */
    uint32_t line_of[CONF_KEYS_MAX];
    bool is_bad[CONF_KEYS_MAX];
};

void conf_sections_init(struct conf_sections *sections, struct conf *conf,
                        struct conf_errors *errors);

/* Ends the open section and opens the next one: [word argument], argument "" when there is none.
 * What is wrong with it is reported; then is_skipped may be set. */
void conf_section_open(struct conf_sections *sections, uint32_t line, const char *word,
                       const char *argument);

/* The same for a line that is no section at all, which was reported already. */
void conf_section_skip(struct conf_sections *sections, uint32_t line);

/* Checks what the keys of the open section owe each other. */
void conf_section_close(struct conf_sections *sections);

/* The row's place in line_of and is_bad. */
size_t conf_key_index(const struct conf_key *key);

/* conf_hosts.c: the arguments of [host] and [mount], into the draft as struct conf has them. NULL,
 * or a static text that says what was expected. */
const char *conf_host_names_read(const struct conf *conf, const char *text,
                                 struct conf_draft *draft);
const char *conf_mount_prefix_read(const struct conf *conf, uint16_t host, const char *text,
                                   struct conf_draft *draft);

#endif
