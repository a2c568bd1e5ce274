/* A library to preload. It leaks memory, which proves that leaks are reported and attributed to the addon. */
#include <stdlib.h>

__attribute__((constructor)) static void leak(void)
{
    for (int i = 0; i < 10; i++)
        *(volatile char *)malloc(100) = 1;
}
