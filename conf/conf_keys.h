/* conf_keys: the one table of what can be configured. Parsing, defaults, printing and the texts of
 * errors all read it; a new key is a field in struct conf, a row here and a paragraph in gyre.ini.
 */
#ifndef GYRE_CONF_KEYS_H
#define GYRE_CONF_KEYS_H

#include "conf/conf.h"

enum {
    CONF_KEYS_MAX = 96,
    CONF_KEY_SIZE_MAX = 48, /* inih cuts a longer one when its value comes in pieces */
};

enum conf_kind {
    CONF_KIND_LISTEN,     /* an address; the line may be repeated */
    CONF_KIND_PATH,       /* char[CONF_PATH_SIZE_MAX + 1] */
    CONF_KIND_COUNT,      /* uint32_t, or the row's word */
    CONF_KIND_DURATION,   /* uint32_t, milliseconds */
    CONF_KIND_SIZE32,     /* uint32_t, bytes */
    CONF_KIND_SIZE64,     /* uint64_t, bytes */
    CONF_KIND_CHOICE,     /* enum: the index of the word; max bounds it */
    CONF_KIND_INDEX,      /* file names, separated by blanks */
    CONF_KIND_TYPE,       /* any ".EXT" is a key of the section */
    CONF_KIND_ERROR_PAGE, /* any status is a key of the section */
    /* Texts: the field is an offset into the strings. Where a row has a word, it is kept as such.
     */
    CONF_KIND_FILE,     /* a path */
    CONF_KIND_HEADER,   /* a line of a head; the line may be repeated */
    CONF_KIND_CACHE,    /* a value of Cache-Control, or a duration */
    CONF_KIND_REDIRECT, /* a status and a target */
    CONF_KIND_CORS,     /* origins */
    CONF_KIND_REALM,
    CONF_KIND_TRY, /* paths to look for */
    CONF_KIND_SPA, /* a path beneath the root */
};

/* What a row's offset counts from. All but the first are of sections with an argument, of which
 * there may be any number. */
enum conf_base {
    CONF_BASE_CONF,
    CONF_BASE_HOST,
    CONF_BASE_MOUNT,
    CONF_BASE_RULE,
};

enum conf_shape {
    CONF_SHAPE_ANY,
    CONF_SHAPE_POWER_OF_TWO,
    CONF_SHAPE_PAGES
};

enum {
    CONF_PAGE_BYTES = 4096
};

struct conf_key {
    const char *section;
    const char *name; /* of TYPE and ERROR_PAGE: what the key looks like */
    enum conf_kind kind;
    uint32_t offset; /* from the base; unused by the kinds that know their own fields */
    uint64_t min;
    uint64_t max;
    const char *unit;    /* what is counted, for the texts of errors */
    const char *initial; /* the default as one would write it; NULL: none */
    enum conf_shape shape;
    const char *word;         /* a word instead of a number or a text */
    uint32_t word_value;      /* COUNT: and what it stores */
    const char *const *words; /* CHOICE */
    enum conf_base base;
};

extern const struct conf_key conf_keys[];
extern const uint32_t conf_keys_count;

/* The row for a key of a section, or NULL. */
const struct conf_key *conf_key_find(const char *section, const char *name);

/* The row of that name in whatever section has it, or NULL. */
const struct conf_key *conf_key_find_elsewhere(const char *name);

bool conf_section_is_known(const char *section);

/* Whether several lines may share this row: it is a list, or a map. */
bool conf_key_is_repeatable(const struct conf_key *key);

/* The offset in struct conf of a row's field in one instance of its base (any, for CONF_BASE_CONF),
 * and in the last one that there is, the one being read. */
size_t conf_key_place(const struct conf_key *key, uint32_t instance);
size_t conf_key_place_last(const struct conf_key *key, const struct conf *conf);

/* The base of a known section's keys. */
enum conf_base conf_section_base(const char *section);

/* What a known section takes as its argument, for the texts of errors; NULL: none. */
const char *conf_section_form(const char *section);

/* Writes "[server], [timeouts], ..." or the names of one section's keys. */
void conf_sections_write(char *buffer, size_t size);
void conf_key_names_write(const char *section, char *buffer, size_t size);

#endif
