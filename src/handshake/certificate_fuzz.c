// SPDX-License-Identifier: Apache-2.0
/* Any bytes as a certificate: it is read, all texts are made of it, in much memory and in little; what
 * comes out must be within what went in or what was lent. */
#include <stdlib.h>

#include "base/json_check.h"
#include "handshake/certificate.h"
#include "handshake/hello_identity.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require_json(struct span text)
{
    if (text.size > 0 && !json_check((const char *)text.data, text.size)) {
        abort();
    }
}

static void tell(const struct certificate *certificate, void *memory, size_t room)
{
    struct scratch scratch = scratch_of(memory, room);
    struct span parts[CERTIFICATE_PARTS_MAX], names[CERTIFICATE_NAMES_MAX];
    (void)certificate_name(&scratch, certificate->subject);
    (void)certificate_serial(&scratch, certificate);
    for (unsigned part = 0; part < CERTIFICATE_PARTS; part++) {
        (void)certificate_parts(&scratch, certificate->issuer, part, parts);
    }
    (void)certificate_alternatives(&scratch, certificate, names);
    scratch = scratch_of(memory, room);
    struct span pem = certificate_pem_json(&scratch, certificate->der);
    require_json(pem);
}

static void tell_list(struct span list, void *memory, size_t room)
{
    struct hello_show show = {
        .detailed = true, .certificates = true, .raw_certificates = true, .hashes = 7};
    for (unsigned extensions = 0; extensions < 2; extensions++) {
        struct scratch scratch = scratch_of(memory, room);
        struct hello_identity identity = {.subject = {0}};
        hello_identity_fill(&identity, &scratch, list, extensions, &show);
        require_json(identity.x509);
        require_json(identity.chain);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint64_t memory[1 << 14];
    struct certificate certificate;
    data = size > 0 ? data : (const uint8_t *)"";
    if (certificate_read(&certificate, span_of(data, size))) {
        tell(&certificate, memory, sizeof memory);
        tell(&certificate, memory, 200);
    }
    tell_list(span_of(data, size), memory, sizeof memory);
    tell_list(span_of(data, size), memory, 3000);
    return 0;
}
