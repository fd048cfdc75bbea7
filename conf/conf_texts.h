/* conf_texts: the values that are kept as text. Each function reads one, and puts it into the draft
 * as struct conf has it. Returns NULL, or a static text that says what was expected; then the draft
 * is worth nothing. */
#ifndef GYRE_CONF_TEXTS_H
#define GYRE_CONF_TEXTS_H

#include "conf/conf_strings.h"

const char *conf_file_read(const char *text, struct conf_draft *draft);
const char *conf_realm_read(const char *text, struct conf_draft *draft);
const char *conf_cors_read(const char *text, struct conf_draft *draft);
const char *conf_try_read(const char *text, struct conf_draft *draft);
const char *conf_spa_read(const char *text, struct conf_draft *draft);

/* conf_cache.c. A duration becomes a max-age. */
const char *conf_cache_read(const char *text, struct conf_draft *draft);

/* conf_redirect.c. $1 to $9 may be used as far as the pattern captures. */
const char *conf_redirect_read(const char *text, uint32_t captures_count, struct conf_draft *draft);

/* conf_header.c. lines: those that the rule has. The draft is one more, with its CR LF. */
const char *conf_header_read(const char *text, const char *lines, struct conf_draft *draft);

#endif
