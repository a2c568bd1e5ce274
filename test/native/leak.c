/* Leaks before a program starts: preloaded, it shows that the sanitizers' reports come, and are taken for ours. */
#include <stdlib.h>

__attribute__((constructor)) static void leak(void)
{
    for (int i = 0; i < 10; i++)
        *(volatile char *)malloc(100) = 1;
}
