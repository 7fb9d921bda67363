// Swift's module of the C library does not have it.
#include <sys/xattr.h>
