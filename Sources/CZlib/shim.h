// zlib.h, of which these suffice. Their types are those of zlib.h: uLong, Bytef, uInt, and z_off_t, which is a long.
unsigned long crc32(unsigned long crc, const unsigned char *bytes, unsigned int count);
unsigned long crc32_combine(unsigned long first, unsigned long second, long second_length);
const char *zlibVersion(void);

#if defined(__x86_64__)
// zlib's own needs three times as long, half as long as SHA-256 of the same bytes. Four remainders of 16 bytes are multiplied
// past 64 bytes at a time, then past 16, then reduced (Gopal, Ozturk and others, "Fast CRC Computation for Generic Polynomials
// Using PCLMULQDQ Instruction", Intel, 2009; the numbers are those for the reflected polynomial of gzip).
typedef long long ko_pair __attribute__((vector_size(16)));

#define KO_CLMUL __attribute__((target("pclmul,sse2")))

static inline int ko_has_clmul(void) { return __builtin_cpu_supports("pclmul") ? 1 : 0; }

static inline ko_pair ko_load(const unsigned char *bytes) {
  ko_pair value;
  __builtin_memcpy(&value, bytes, 16);
  return value;
}

KO_CLMUL static inline ko_pair ko_fold(ko_pair value, ko_pair factors, ko_pair next) {
  return __builtin_ia32_pclmulqdq128(value, factors, 0x00) ^ __builtin_ia32_pclmulqdq128(value, factors, 0x11) ^ next;
}

// The checksum after `count` more bytes, at least 64 and a multiple of 16.
KO_CLMUL static inline unsigned int ko_crc32(unsigned int crc, const unsigned char *bytes, long count) {
  const ko_pair far = {0x0154442bd4, 0x01c6e41596}, near = {0x01751997d0, 0x00ccaa009e};
  const ko_pair last = {0x0163cd6124, 0}, polynomial = {0x01db710641, 0x01f7011641}, low = {0xffffffff, 0xffffffff};
  ko_pair first = ko_load(bytes) ^ (ko_pair){(long long)(unsigned int)~crc, 0};
  ko_pair second = ko_load(bytes + 16), third = ko_load(bytes + 32), fourth = ko_load(bytes + 48);
  for (bytes += 64, count -= 64; count >= 64; bytes += 64, count -= 64) {
    first = ko_fold(first, far, ko_load(bytes));
    second = ko_fold(second, far, ko_load(bytes + 16));
    third = ko_fold(third, far, ko_load(bytes + 32));
    fourth = ko_fold(fourth, far, ko_load(bytes + 48));
  }
  first = ko_fold(ko_fold(ko_fold(first, near, second), near, third), near, fourth);
  for (; count >= 16; bytes += 16, count -= 16) first = ko_fold(first, near, ko_load(bytes));
  // 128 bits to 64, and these to 32.
  first = (ko_pair){first[1], 0} ^ __builtin_ia32_pclmulqdq128(first, near, 0x10);
  ko_pair upper = {(long long)((unsigned long long)first[0] >> 32 | (unsigned long long)first[1] << 32),
                   (long long)((unsigned long long)first[1] >> 32)};
  first = upper ^ __builtin_ia32_pclmulqdq128(first & low, last, 0x00);
  ko_pair product = __builtin_ia32_pclmulqdq128(first & low, polynomial, 0x10) & low;
  first ^= __builtin_ia32_pclmulqdq128(product, polynomial, 0x00);
  return ~(unsigned int)((unsigned long long)first[0] >> 32);
}
#endif
