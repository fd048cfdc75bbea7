/* http_framing: Content-Length and Transfer-Encoding -> what body a request has. Pure. RFC 9112 6;
 * RFC 9110 8.6. */
#ifndef GYRE_HTTP_FRAMING_H
#define GYRE_HTTP_FRAMING_H

#include "http/http_error.h"
#include "http/http_parse.h"

/* The values of the two fields, each of which occurs at most once; SLICE_NONE: it does not. Fills
 * body_kind and content_length of request, whose version_minor is set. 400 for what is malformed or
 * ambiguous, 501 for a known transfer coding other than chunked. */
struct http_error http_framing_read(struct slice content_length, struct slice transfer_encoding,
                                    struct http_request *request);

#endif
