// Swift's module of the C library does not have these.
#include <sys/xattr.h>

// syncfs(2); unistd.h declares it for those who ask for GNU's extensions.
int syncfs(int descriptor);

// sync_file_range(2) and its flag, of fcntl.h, for the same.
int sync_file_range(int descriptor, __off64_t offset, __off64_t count, unsigned flags);
static const unsigned begin_writing = 2;
