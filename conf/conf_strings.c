/* conf_strings: nothing is ever taken out again; the text that was put in last may grow. */
#include "conf/conf_strings.h"

#include <assert.h>
#include <string.h>

_Static_assert(CONF_STRINGS_SIZE == 512 * 1024, "CONF_STRINGS_FULL names it");

void conf_draft_append(struct conf_draft *draft, const char *text, size_t size)
{
    assert(size <= sizeof(draft->text) - draft->size);
    memcpy(draft->text + draft->size, text, size);
    draft->size += size;
}

static size_t room_left(const struct conf *conf)
{
    assert(conf->strings_used >= 1);
    assert(conf->strings_used <= CONF_STRINGS_SIZE);
    return CONF_STRINGS_SIZE - conf->strings_used;
}

uint32_t conf_string_add(struct conf *conf, const char *text, size_t size)
{
    assert(size > 0);
    assert(memchr(text, '\0', size) == NULL);
    if (size + 1 > room_left(conf)) {
        return 0;
    }
    uint32_t offset = conf->strings_used;
    memcpy(conf->strings + offset, text, size);
    conf->strings[offset + size] = '\0';
    conf->strings_used += (uint32_t)size + 1;
    return offset;
}

bool conf_string_set(struct conf *conf, uint32_t *offset, const char *text, size_t size)
{
    const char *old = conf_text(conf, *offset);
    if (strlen(old) == size && memcmp(old, text, size) == 0) {
        return true;
    }
    uint32_t added = conf_string_add(conf, text, size);
    if (added == 0) {
        return false;
    }
    *offset = added;
    return true;
}

bool conf_string_append(struct conf *conf, uint32_t *offset, const char *text, size_t size)
{
    size_t old_size = strlen(conf_text(conf, *offset));
    bool is_last = *offset != 0 && *offset + old_size + 1 == conf->strings_used;
    size_t needed = size + (is_last ? 0 : old_size + 1);
    if (needed > room_left(conf)) {
        return false;
    }
    if (!is_last) {
        memmove(conf->strings + conf->strings_used, conf->strings + *offset, old_size);
        *offset = conf->strings_used;
    }
    memcpy(conf->strings + *offset + old_size, text, size);
    conf->strings[*offset + old_size + size] = '\0';
    conf->strings_used += (uint32_t)needed;
    return true;
}
