/* type_table: see the header. The first to name an extension wins. */
#include "server/type_table.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    MIME_TYPES_SIZE_MAX = 1024 * 1024
};

static void add_system_types(struct http_type_table *types)
{
    FILE *file = fopen("/etc/mime.types", "re");
    if (file == NULL) {
        return;
    }
    char *text = malloc(MIME_TYPES_SIZE_MAX);
    if (text != NULL) {
        size_t size = fread(text, 1, MIME_TYPES_SIZE_MAX, file);
        http_type_table_add_mime_types(types, slice_of(text, size));
        free(text);
    }
    fclose(file);
}

struct http_type_table *type_table_create(const struct conf *conf)
{
    struct http_type_table *types = malloc(sizeof(*types));
    if (types == NULL) {
        return NULL;
    }
    http_type_table_init(types);
    for (uint32_t i = 0; i < conf->types_count; i++) {
        (void)http_type_table_add(types, slice_from_string(conf->types[i].extension),
                                  slice_from_string(conf->types[i].type));
    }
    http_type_table_add_builtin(types);
    if (conf->mime_types == CONF_ON) {
        add_system_types(types);
    }
    return types;
}
