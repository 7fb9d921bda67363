// zlib.h, of which these suffice. Their types are those of zlib.h: uLong, Bytef, uInt, and z_off_t, which is a long.
unsigned long crc32(unsigned long crc, const unsigned char *bytes, unsigned int count);
unsigned long crc32_combine(unsigned long first, unsigned long second, long second_length);
const char *zlibVersion(void);
