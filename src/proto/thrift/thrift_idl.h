// SPDX-License-Identifier: Apache-2.0
/* Interface definitions (thrift.apache.org/docs/idl): the names of services, methods, parameters,
 * fields and exceptions, read from .thrift files when the configuration is. Defaults, constants,
 * annotations and namespaces are passed over; included files are to be listed themselves. All of it
 * is one reservation of pages that is read only from then on, so any thread may look things up. */
#pragma once

#include "base/err.h"
#include "base/span.h"
#include "base/text.h"

struct thrift_struct_names;

/* What is known of a type: names of fields, if there is a struct in it somewhere. */
struct thrift_type_names {
    struct span name;                      /* as it is written; of a container empty */
    const struct thrift_struct_names *of;  /* a struct's, or NULL */
    const struct thrift_type_names *key;   /* of a map */
    const struct thrift_type_names *value; /* of a map, a list or a set */
    struct thrift_type_names *next_named;
};

struct thrift_field_names {
    struct thrift_field_names *next;
    int16_t id;
    struct span name;
    struct thrift_type_names *type;
};

struct thrift_struct_names {
    struct thrift_struct_names *next;
    struct span name;
    struct thrift_field_names *fields;
};

struct thrift_method_names {
    struct thrift_method_names *next;
    struct span name;
    bool is_oneway;
    struct thrift_struct_names parameters;
    struct thrift_struct_names result; /* 0 is the value, the others are exceptions */
};

struct thrift_service_names {
    struct thrift_service_names *next;
    struct span name;
    struct thrift_method_names *methods;
};

struct thrift_idl; /* opaque */

/* Reads the files; NULL, and where and what is wrong, when one cannot be read. */
struct thrift_idl *thrift_idl_new(const struct text_list *files, struct err *err);
void thrift_idl_free(struct thrift_idl *idl);

/* A method by its name, of any service, or of that one if it is not empty; NULL when there is none.
 * `service` is whose it is. NULL for `idl` is fine. */
const struct thrift_method_names *thrift_idl_method(const struct thrift_idl *idl,
                                                    struct span service, struct span method,
                                                    struct span *ret_service);
/* A field's name and type; NULL when it is not known. NULL for `of` is fine. */
const struct thrift_field_names *thrift_idl_field(const struct thrift_struct_names *of, int16_t id);
