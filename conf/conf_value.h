/* conf_value: the text of one value -> its field in struct conf, and numbers <-> text. */
#ifndef GYRE_CONF_VALUE_H
#define GYRE_CONF_VALUE_H

#include "conf/conf_keys.h"

enum {
    CONF_NUMBER_SIZE_MAX = 24
}; /* "18446744073709551615" and a unit */

/* Digits only. False when it is not a number, or past 64 bits; the two below, too. */
bool conf_number_parse(const char *text, uint64_t *value);

/* "500ms", "10s", "2m", "1h" -> milliseconds. A unit is required. */
bool conf_duration_parse(const char *text, uint64_t *milliseconds);

/* "4096", "64K", "1M", "1G" -> bytes. */
bool conf_size_parse(const char *text, uint64_t *bytes);

/* The shortest text that reads back to the same number. */
void conf_duration_write(uint64_t milliseconds, char buffer[CONF_NUMBER_SIZE_MAX]);
void conf_size_write(uint64_t bytes, char buffer[CONF_NUMBER_SIZE_MAX]);

/* Stores a value. name: the key as written, of interest to the rows that are maps. Returns true, or
 * false with the sentence "expected ..." in reason; then *conf is as it was. */
bool conf_value_set(const struct conf_key *key, const char *name, const char *text,
                    struct conf *conf, char reason[CONF_ERROR_SIZE_MAX + 1]);

/* conf_entries.c: the same for the rows that are lists or maps. */
const char *conf_listen_add(struct conf *conf, const char *text);
const char *conf_index_set(struct conf *conf, const char *text);
const char *conf_type_add(struct conf *conf, const char *name, const char *text);
const char *conf_error_page_add(struct conf *conf, const char *name, const char *text);

#endif
