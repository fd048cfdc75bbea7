/* type_table: the media types of this process: the ini's, the built-in ones, the system's. */
#ifndef GYRE_SERVER_TYPE_TABLE_H
#define GYRE_SERVER_TYPE_TABLE_H

#include "conf/conf.h"
#include "http/http_type.h"

/* Fills a table, read-only from then on; the caller frees it. NULL: out of memory. A missing or
 * broken /etc/mime.types is passed over. */
struct http_type_table *type_table_create(const struct conf *conf);

#endif
