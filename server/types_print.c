/* types_print: see the header. */
#include "server/types_print.h"

#include <stdlib.h>

#include "server/type_table.h"

static int compare(const void *a, const void *b)
{
    const struct http_type_row *one = a;
    const struct http_type_row *other = b;
    size_t size =
        one->extension.size < other->extension.size ? one->extension.size : other->extension.size;
    int order = memcmp(one->extension.data, other->extension.data, size);
    return order != 0 ? order : (one->extension.size > size) - (other->extension.size > size);
}

static int print_rows(const struct http_type_table *types, FILE *stream)
{
    struct http_type_row *rows = calloc(types->count, sizeof(*rows));
    if (rows == NULL) {
        return 1;
    }
    size_t count = http_type_table_rows(types, rows);
    qsort(rows, count, sizeof(*rows), compare);
    for (size_t i = 0; i < count; i++) {
        fprintf(stream, ".%.*s = %.*s\n", SLICE_ARG(rows[i].extension), SLICE_ARG(rows[i].type));
    }
    free(rows);
    return fflush(stream) != 0;
}

int types_print(const struct conf *conf, FILE *stream)
{
    struct http_type_table *types = type_table_create(conf);
    int status = types == NULL || types->count == 0 || print_rows(types, stream) != 0;
    if (status != 0) {
        fprintf(stderr, "gyre: the types cannot be printed\n");
    }
    free(types);
    return status;
}
