/* Redirects built-in paths of xenstored and oxenstored into the rig, and ignores oxenstored's setrlimit. */
#define _GNU_SOURCE
#include "shim.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char *in_rig(const char *path)
{
    if (strcmp(path, "/proc/xen/xsd_kva") == 0)
        return rig_path("xsd_kva", 0);
    if (strcmp(path, "/proc/xen/xsd_port") == 0)
        return rig_path("xsd_port", 0);
    if (strcmp(path, "/var/run/xenstored/socket") == 0 || strcmp(path, "/run/xenstored/socket") == 0)
        return rig_path("socket", 0);
    return path;
}

#define NEXT(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

static int mode_of(int flags, va_list arguments)
{
    return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, int) : 0;
}

int open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    int mode = mode_of(flags, arguments);
    va_end(arguments);
    return NEXT(open)(in_rig(path), flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    int mode = mode_of(flags, arguments);
    va_end(arguments);
    return NEXT(open64)(in_rig(path), flags, mode);
}

int unlink(const char *path)
{
    return NEXT(unlink)(in_rig(path));
}

int chmod(const char *path, mode_t mode)
{
    return NEXT(chmod)(in_rig(path), mode);
}

int bind(int fd, const struct sockaddr *address, socklen_t length)
{
    struct sockaddr_un moved = {.sun_family = AF_UNIX};
    const char *path = ((const struct sockaddr_un *)address)->sun_path;

    if (address->sa_family != AF_UNIX || in_rig(path) == path)
        return NEXT(bind)(fd, address, length);
    snprintf(moved.sun_path, sizeof moved.sun_path, "%s", in_rig(path));
    return NEXT(bind)(fd, (struct sockaddr *)&moved, sizeof moved);
}

/* Makes the file `listening` when xenstored accepts connections. */
int listen(int fd, int backlog)
{
    struct sockaddr_un address = {0};
    socklen_t length = sizeof address;
    int result = NEXT(listen)(fd, backlog);

    if (result == 0 && getsockname(fd, (struct sockaddr *)&address, &length) == 0 &&
        strcmp(address.sun_path, rig_path("socket", 0)) == 0)
        close(open(rig_path("listening", 0), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    return result;
}

int setrlimit(__rlimit_resource_t resource, const struct rlimit *limits)
{
    (void)resource;
    (void)limits;
    return 0;
}
