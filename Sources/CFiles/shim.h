// Swift's module of the C library does not have these.
#include <sys/xattr.h>

// syncfs(2); unistd.h declares it for those who ask for GNU's extensions.
int syncfs(int descriptor);
