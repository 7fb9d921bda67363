// Swift's module of the C library does not have these.
#include <linux/fiemap.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>

// syncfs(2); unistd.h declares it for those who ask for GNU's extensions.
int syncfs(int descriptor);

// sync_file_range(2) and its flag, of fcntl.h, for the same.
int sync_file_range(int descriptor, __off64_t offset, __off64_t count, unsigned flags);
static const unsigned begin_writing = 2;

// Where the first byte of a file lies on its device, in a unit of the file system's; UINT64_MAX where it does not tell.
// The numbers of the requests are those of linux/fs.h, which cannot be read together with the C library's sys/mount.h.
static inline uint64_t ko_place_on_device(int descriptor) {
  struct {
    struct fiemap map;
    struct fiemap_extent extent;
  } request = {0};
  request.map.fm_length = ~0ULL;
  request.map.fm_extent_count = 1;
  if (ioctl(descriptor, _IOWR('f', 11, struct fiemap), &request) == 0 && request.map.fm_mapped_extents == 1)
    return request.extent.fe_physical;
  // FAT knows only the older request (FIBMAP), which is root's.
  int block = 0;
  if (ioctl(descriptor, _IO(0x00, 1), &block) == 0 && block > 0) return (uint64_t)block;
  return UINT64_MAX;
}
