// SPDX-License-Identifier: Apache-2.0
#include "tap/rights.h"

#include <inttypes.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* The effective capabilities, one bit each (capabilities(7)); 0 if they cannot be read. */
static uint64_t effective_capabilities(void)
{
    uint64_t capabilities = 0;
    FILE *file = fopen("/proc/self/status", "re");
    if (file == NULL) {
        return 0;
    }
    char line[256];
    while (fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "CapEff: %" SCNx64, &capabilities) == 1) {
            break;
        }
    }
    fclose(file);
    return capabilities;
}

/* The capabilities that matter to a capture, by name. */
static const char *name_capabilities(uint64_t capabilities)
{
    bool raw = (capabilities & (UINT64_C(1) << CAP_NET_RAW)) != 0;
    bool admin = (capabilities & (UINT64_C(1) << CAP_NET_ADMIN)) != 0;
    if (raw && admin) {
        return "cap_net_raw and cap_net_admin";
    }
    if (raw || admin) {
        return raw ? "cap_net_raw" : "cap_net_admin";
    }
    return capabilities == 0 ? "none" : "others";
}

/* Whether this user namespace is not the machine's: its root is an ordinary user outside. */
static bool is_in_user_namespace(void)
{
    FILE *file = fopen("/proc/self/uid_map", "re");
    if (file == NULL) {
        return false;
    }
    uint32_t inside, outside, count;
    bool is_whole = fscanf(file, "%" SCNu32 "%" SCNu32 "%" SCNu32, &inside, &outside, &count) == 3 &&
                    inside == 0 && outside == 0 && count == UINT32_MAX;
    fclose(file);
    return !is_whole;
}

/* Why setcap(8) on the program would not help, or NULL. */
static const char *setcap_obstacle(const char *program)
{
    struct statvfs system;
    if (strncmp(program, "/nix/store/", 11) == 0) {
        return "cannot work: /nix/store is read-only; use security.wrappers";
    }
    if (strncmp(program, "/tmp/.mount_", 12) == 0) {
        return "cannot work: an AppImage is mounted without capabilities";
    }
    if (statvfs(program, &system) == 0 && (system.f_flag & ST_NOSUID) != 0) {
        return "cannot work: its file system is mounted nosuid";
    }
    return NULL;
}

bool rights_may_capture(void)
{
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0); /* protocol 0: it receives nothing */
    if (fd < 0) {
        return false;
    }
    close(fd);
    return true;
}

bool rights_explain(const char *interface, struct err *err)
{
    char program[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", program, sizeof program - 1);
    if (size <= 0) {
        size = snprintf(program, sizeof program, "/usr/bin/vantage");
    }
    program[size] = '\0';
    uint64_t capabilities = effective_capabilities();
    const char *obstacle = setcap_obstacle(program);
    const char *confined =
        geteuid() == 0 || (capabilities & (UINT64_C(1) << CAP_NET_RAW)) != 0
            ? "\nThe rights are there, but not here: a container or a seccomp filter takes them."
            : "";
    return err_set(
        err, ERR_PERMISSION,
        "Cannot capture on %s: this needs the CAP_NET_RAW capability "
        "(you are uid %u, capabilities: %s).%s%s\n"
        "  once      sudo vantage live %s\n"
        "  for good  sudo setcap cap_net_raw,cap_net_admin=eip %.300s     %s\n"
        "  service   sudo systemctl enable --now vantage     "
        "(runs as a user of its own)\n"
        "  docker    docker run --net=host --cap-add NET_RAW ...\n"
        "Works without rights: vantage read FILE, vantage demo.      Diagnose: vantage doctor",
        interface, (unsigned)getuid(), name_capabilities(capabilities), confined,
        is_in_user_namespace() ? "\nThis is a user namespace: its root has no right to the machine's "
                                 "interfaces." : "",
        interface, program, obstacle != NULL ? obstacle : "(the real path, not a symlink)");
}
