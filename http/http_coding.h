/* http_coding: the content codings that gyre knows. RFC 9110 8.4.1, RFC 7932, RFC 8878. */
#ifndef GYRE_HTTP_CODING_H
#define GYRE_HTTP_CODING_H

enum http_coding {
    HTTP_CODING_IDENTITY,
    HTTP_CODING_BR,
    HTTP_CODING_ZSTD,
    HTTP_CODING_GZIP,
    HTTP_CODINGS_COUNT,
    HTTP_CODING_NONE = HTTP_CODINGS_COUNT,
};

#endif
