/* list: an intrusive, doubly linked FIFO. A node is in at most one list, and knows whether it is.
 */
#ifndef GYRE_SERVER_LIST_H
#define GYRE_SERVER_LIST_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>

struct list_node {
    struct list_node *previous; /* NULL: in no list */
    struct list_node *next;
};

struct list {
    struct list_node head; /* next: the oldest, previous: the newest */
};

#define LIST_ITEM(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

static inline void list_init(struct list *list)
{
    list->head.previous = &list->head;
    list->head.next = &list->head;
}

static inline bool list_is_empty(const struct list *list)
{
    return list->head.next == &list->head;
}

static inline bool list_contains(const struct list_node *node)
{
    assert((node->previous == NULL) == (node->next == NULL));
    return node->previous != NULL;
}

static inline void list_append(struct list *list, struct list_node *node)
{
    assert(!list_contains(node));
    node->previous = list->head.previous;
    node->next = &list->head;
    node->previous->next = node;
    list->head.previous = node;
}

/* Does nothing for a node that is in no list. */
static inline void list_remove(struct list_node *node)
{
    if (list_contains(node)) {
        node->previous->next = node->next;
        node->next->previous = node->previous;
        node->previous = NULL;
        node->next = NULL;
    }
}

/* The oldest node, or NULL. */
static inline struct list_node *list_first(struct list *list)
{
    return list_is_empty(list) ? NULL : list->head.next;
}

static inline struct list_node *list_take_first(struct list *list)
{
    struct list_node *node = list_first(list);
    if (node != NULL) {
        list_remove(node);
    }
    return node;
}

#endif
