/*
 * Usage: stopper AGENT-PID HOLD-SECONDS. As uid 23457, stops each child of the agent as soon as the kernel
 * allows it. A child that still runs the agent's image stays stopped for HOLD-SECONDS. Any other child
 * continues at once.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <errno.h>

int main(int argc, char **argv)
{
    char path[100], text[4096], before[100] = "", comm[100];
    (void)argc;
    if (setgroups(0, NULL) || setresgid(23457, 23457, 23457) || setresuid(23457, 23457, 23457) || getuid() != 23457)
        return 1;
    sprintf(path, "/proc/%s/task/%s/children", argv[1], argv[1]);
    int fd = open(path, O_RDONLY);
    if (fd < 0) { perror(path); return 2; }
    puts("ready"); fflush(stdout);
    long stopped = 0;
    for (;;) {
        ssize_t n = pread(fd, text, sizeof text - 1, 0);
        if (n <= 0) continue;
        text[n] = 0;
        /* The last pid is the newest child. */
        char *last = text + n;
        while (last > text && (last[-1] == ' ' || last[-1] == '\n')) *--last = 0;
        while (last > text && last[-1] != ' ') last--;
        int pid = atoi(last);
        if (pid <= 1 || strcmp(last, before) == 0) continue;
        int rc, tries = 0;
        while ((rc = kill(pid, SIGSTOP)) != 0 && errno == EPERM && ++tries < 2000000) continue;
        if (rc != 0) { strcpy(before, last); continue; }
        strcpy(before, last);
        stopped++;
        usleep(200);
        sprintf(path, "/proc/%d/comm", pid);
        FILE *file = fopen(path, "r");
        comm[0] = 0;
        if (file) { if (!fgets(comm, sizeof comm, file)) comm[0] = 0; fclose(file); }
        if (strncmp(comm, "node", 4) == 0 || strncmp(comm, "Main", 4) == 0 || strncmp(comm, "vifwatch", 8) == 0) {
            printf("IN THE WINDOW: pid %d, comm %s after %ld stops\n", pid, comm, stopped); fflush(stdout);
            sleep(atoi(argv[2]));
            kill(pid, SIGCONT);
            puts("continued"); fflush(stdout);
        } else {
            kill(pid, SIGCONT);
            if (stopped % 100 == 1) { printf("stopped %ld, this one was %s", stopped, comm); fflush(stdout); }
        }
    }
}
