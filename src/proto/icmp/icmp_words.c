// SPDX-License-Identifier: Apache-2.0
#include "proto/icmp/icmp_words.h"

#include <string.h>

#include "base/json.h"

enum { CODES = 16 };

struct word {
    const char *name; /* NULL: none is known */
    const char *codes[CODES];
};

#define UNREACHABLE "DestinationUnreachable"

static const struct word words_of_four[] = {
    [0] = {"EchoReply"},
    [3] = {UNREACHABLE,
           {"Net", "Host", "Protocol", "Port", "FragmentationNeeded", "SourceRoutingFailed",
            "NetUnknown", "HostUnknown", "SourceIsolated", "NetAdminProhibited",
            "HostAdminProhibited", "NetTOS", "HostTOS", "CommAdminProhibited", "HostPrecedence",
            "PrecedenceCutoff"}},
    [4] = {"SourceQuench"},
    [5] = {"Redirect", {"Net", "Host", "TOS+Net", "TOS+Host"}},
    [8] = {"EchoRequest"},
    [9] = {"RouterAdvertisement"},
    [10] = {"RouterSolicitation"},
    [11] = {"TimeExceeded", {"TTLExceeded", "FragmentReassemblyTimeExceeded"}},
    [12] = {"ParameterProblem", {"PointerIndicatesError", "MissingOption", "BadLength"}},
    [13] = {"TimestampRequest"},
    [14] = {"TimestampReply"},
    [15] = {"InfoRequest"},
    [16] = {"InfoReply"},
    [17] = {"AddressMaskRequest"},
    [18] = {"AddressMaskReply"},
};

static const struct word words_of_six[] = {
    [1] = {UNREACHABLE,
           {"NoRouteToDst", "AdminProhibited", "BeyondScopeOfSrc", "AddressUnreachable",
            "PortUnreachable", "SrcAddressFailedPolicy", "RejectRouteToDst"}},
    [2] = {"PacketTooBig"},
    [3] = {"TimeExceeded", {"HopLimitExceeded", "FragmentReassemblyTimeExceeded"}},
    [4] = {"ParameterProblem",
           {"ErroneousHeaderField", "UnrecognizedNextHeader", "UnrecognizedIPv6Option"}},
    [128] = {"EchoRequest"},
    [129] = {"EchoReply"},
    [130] = {"MulticastListenerQuery"},
    [131] = {"MulticastListenerReport"},
    [132] = {"MulticastListenerDone"},
    [133] = {"RouterSolicitation"},
    [134] = {"RouterAdvertisement"},
    [135] = {"NeighborSolicitation"},
    [136] = {"NeighborAdvertisement"},
    [137] = {"Redirect"},
    [143] = {"MulticastListenerReportV2"},
};

#define COUNT(table) (sizeof(table) / sizeof *(table))

static const struct word *word_of(unsigned version, uint8_t type)
{
    static const struct word unknown;
    if (version == 4) {
        return type < COUNT(words_of_four) ? &words_of_four[type] : &unknown;
    }
    return type < COUNT(words_of_six) ? &words_of_six[type] : &unknown;
}

enum icmp_role icmp_role_of(unsigned version, uint8_t type)
{
    if (version == 6) {
        return type == 128                ? ICMP_REQUEST
               : type == 129              ? ICMP_REPLY
               : type >= 1 && type <= 4 ? ICMP_ERROR
                                          : ICMP_SINGLE;
    }
    switch (type) {
    case 8:
    case 13:
    case 15:
    case 17:
        return ICMP_REQUEST;
    case 0:
    case 14:
    case 16:
    case 18:
        return ICMP_REPLY;
    case 3:
    case 4:
    case 11:
    case 12:
        return ICMP_ERROR;
    default:
        return ICMP_SINGLE;
    }
}

static char *put_number(char *to, unsigned number)
{
    char digits[JSON_U64_MAX];
    size_t size = (size_t)(json_digits(digits, number) - digits);
    return mempcpy(to, digits, size);
}

struct span icmp_word(unsigned version, uint8_t type, uint8_t code, char room[ICMP_WORD_ROOM])
{
    const struct word *word = word_of(version, type);
    const char *code_name = code < CODES ? word->codes[code] : NULL;
    char *to = word->name != NULL ? stpcpy(room, word->name) : put_number(room, type);
    if (word->name == NULL || code_name != NULL || word->codes[0] != NULL || code != 0) {
        *to++ = '(';
        if (code_name != NULL) {
            to = stpcpy(to, code_name);
        } else {
            to = put_number(word->name != NULL ? stpcpy(to, "Code: ") : to, code);
        }
        *to++ = ')';
    }
    return span_of(room, (size_t)(to - room));
}
