// SPDX-License-Identifier: Apache-2.0
/* Private to the configuration: the schema, and how one value is read, kept and written. A row
 * names a key, where its value lies in its struct, its default, bounds and help; to add a key is to
 * add a row and a member. At most 64 rows a table: `given` has a bit for each. */
#pragma once

#include "engine/config.h"

enum config_kind {
    CONFIG_SECTION,  /* no value: the rows that follow with "PATH." are inside */
    CONFIG_ITEMS,    /* a list of mappings; rows in `items` */
    CONFIG_PROTOCOLS, /* mappings by protocol, rows in config->protocols */
    CONFIG_FLAG,     /* bool */
    CONFIG_NUMBER,   /* int64_t, */
    CONFIG_SIZE,     /* bytes, */
    CONFIG_MEMORY,   /* bytes, or "auto": config_memory_auto(), */
    CONFIG_DURATION, /* nanoseconds */
    CONFIG_TEXT,     /* const char * */
    CONFIG_CHOICE,   /* const char *, one of choice(0), choice(1), … NULL */
    CONFIG_LEVEL,    /* enum log_level */
    CONFIG_TREE,     /* struct node *: a list with a language of its own */
    CONFIG_LIST,     /* struct text_list; a single text is a list of one */
};

/* What is printed in place of a secret. */
#define CONFIG_HIDDEN "********"

struct config_key {
    const char *path; /* from the root, or from the item */
    enum config_kind kind;
    size_t offset;        /* in struct config, or in the item's struct */
    const char *fallback; /* the default as one would write it; NULL: empty */
    const char *help;     /* sentences */
    int64_t minimum;      /* of numbers; both 0: unbounded */
    int64_t maximum;
    const char *none;     /* a value beyond the bounds that is allowed: "-1s" */
    const char *(*choice)(size_t index);
    const char *const *choices; /* the same as a list, NULL-terminated */
    const char *only;     /* the item's kinds that the key belongs to, "A or B"; NULL: all */
    const char *example;  /* what the reference shows for a key without a default */
    bool secret;
    const struct config_items *items;
};

/* A list of mappings of one schema: an array and its count in struct config. */
struct config_items {
    const struct config_key *keys; /* one of them is "kind" */
    const char *default_kind;
    size_t count_offset; /* in struct config */
    size_t item_size;
    size_t given_offset; /* in the item */
    /* Appends an item with its defaults; NULL when there are as many as may be. */
    void *(*add)(struct config *config, const char *kind);
    /* Rules between the keys of an item. */
    bool (*check)(const struct config *config, size_t index, struct err *err);
    /* What a kind is, for the reference. */
    const char *(*help)(const char *kind);
};

/* Rules between the keys of the root. */
struct config_rule {
    const char *path; /* the key to name */
    bool (*holds)(const struct config *config, struct err *err);
};

extern const struct config_key config_keys[]; /* each ends with a NULL path */
extern const struct config_key config_tap_keys[];
extern const struct config_key config_output_keys[];
extern const struct config_rule config_rules[];

/* The row of that path, or NULL. */
const struct config_key *config_key_find(const struct config_key *keys, const char *path);

/* The items that a row of that kind has now, and how many. */
void *config_items_at(const struct config *config, const struct config_key *key, size_t index);
size_t config_items_count(const struct config *config, const struct config_key *key);
void config_items_clear(struct config *config, const struct config_key *key);

/* The kind of an item, and the bits of the keys that the user wrote. */
const char *config_item_kind(const struct config_key *key, const void *item);
uint64_t *config_item_given(const struct config_key *key, void *item);

/* Whether the row is for items of that kind. */
bool config_key_applies(const struct config_key *key, const char *kind);

/* Reads `text` into the value at `object`; a list is appended to. */
bool config_value_set(struct config *config, const struct config_key *key, void *object,
                      const char *text, struct err *err);

/* A CHOICE's name of that number, NULL behind the last. */
const char *config_choice_at(const struct config_key *key, size_t index);

/* The name of a CHOICE that `text` is, or NULL with err. */
const char *config_choice(const struct config_key *key, const char *text, struct err *err);

/* Whether the numbers at `object` are within their bounds, for those that no text was read into. */
bool config_values_check(const struct config_key *keys, const char *kind, const void *object,
                         struct err *err);

/* Gives all rows of a table that apply to `kind` their defaults; sections and items aside. */
void config_values_default(struct config *config, const struct config_key *keys, const char *kind,
                           void *object);

/* Empties a list before it is set anew. */
void config_value_clear(const struct config_key *key, void *object);

/* Prints the value as YAML on one line. */
void config_value_print(const struct config_key *key, const void *object, FILE *out);

/* Prints text as a YAML scalar, quoted where it must be. */
void config_text_print(const char *text, FILE *out);

/* 25 % of the machine's memory or of the control group's, at most 2 GiB, in whole MiB. */
int64_t config_memory_auto(void);

/* Memory that lives as long as the config. */
void *config_allocate(struct config *config, size_t size);

/* Fills in that a file could not even be read: no place within it. `problems` is empty. */
void config_problem_reading(const char *name, struct config_problems *problems, const char *what);
