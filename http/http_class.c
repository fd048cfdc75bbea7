/* http_class: the table. */
#include "http/http_class.h"

/* Groups of classes that many bytes share. */
enum {
    TEXT = HTTP_CLASS_TARGET | HTTP_CLASS_VALUE | HTTP_CLASS_QUOTED,
    MARK = TEXT | HTTP_CLASS_HOST,
    NAME = MARK | HTTP_CLASS_TOKEN,
    CODE = TEXT | HTTP_CLASS_TOKEN,
    NUMBER = NAME | HTTP_CLASS_DIGIT | HTTP_CLASS_HEX,
};

/* clang-format off */
const unsigned char http_class_table[256] = {
    ['\t'] = HTTP_CLASS_VALUE,
    [' '] = HTTP_CLASS_VALUE | HTTP_CLASS_QUOTED,
    ['!'] = NAME,
    ['"'] = HTTP_CLASS_TARGET | HTTP_CLASS_VALUE,
    ['#'] = HTTP_CLASS_TOKEN | HTTP_CLASS_VALUE | HTTP_CLASS_QUOTED,
    ['$'] = NAME, ['%'] = CODE, ['&'] = NAME, ['\''] = NAME,
    ['('] = MARK, [')'] = MARK, ['*'] = NAME, ['+'] = NAME,
    [','] = TEXT, ['-'] = NAME, ['.'] = NAME, ['/'] = TEXT,
    ['0' ... '9'] = NUMBER,
    [':'] = TEXT, [';'] = MARK, ['<'] = TEXT, ['='] = MARK, ['>'] = TEXT, ['?'] = TEXT,
    ['@'] = TEXT,
    ['A' ... 'F'] = NAME | HTTP_CLASS_HEX,
    ['G' ... 'Z'] = NAME,
    ['['] = TEXT,
    ['\\'] = HTTP_CLASS_TARGET | HTTP_CLASS_VALUE,
    [']'] = TEXT, ['^'] = CODE, ['_'] = NAME, ['`'] = CODE,
    ['a' ... 'f'] = NAME | HTTP_CLASS_HEX,
    ['g' ... 'z'] = NAME,
    ['{'] = TEXT, ['|'] = CODE, ['}'] = TEXT, ['~'] = NAME,
    [0x80 ... 0xff] = HTTP_CLASS_VALUE | HTTP_CLASS_QUOTED,
};
/* clang-format on */
