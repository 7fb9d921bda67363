// A FIDO security key in software, for tests: what ssh-keygen loads in place of the library that speaks to hardware
// (SSH_SK_PROVIDER). The interface is OpenSSH's sk-api.h, and what is signed is in PROTOCOL.u2f. The handle of a key is the
// private key itself. A key that was made with "verify-required" wants the PIN 1234.
//
//   cc -shared -fPIC -DAPI_VERSION=... -o security-key.so security-key.c -lcrypto

#include <openssl/evp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ED25519 = 1, VERIFICATION = 4, FAILED = -1, UNSUPPORTED = -2, PIN_REQUIRED = -3 };

struct enrollment {
  uint8_t flags;
  uint8_t *public_key;
  size_t public_key_length;
  uint8_t *handle;
  size_t handle_length;
  uint8_t *signature;
  size_t signature_length;
  uint8_t *certificate;
  size_t certificate_length;
  uint8_t *data;
  size_t data_length;
};

struct answer {
  uint8_t flags;
  uint32_t counter;
  uint8_t *r;
  size_t r_length;
  uint8_t *s;
  size_t s_length;
};

static int is_unlocked(uint8_t flags, const char *pin) {
  return !(flags & VERIFICATION) || (pin != NULL && strcmp(pin, "1234") == 0);
}

uint32_t sk_api_version(void) { return API_VERSION; }

int sk_enroll(uint32_t algorithm, const uint8_t *challenge, size_t challenge_length, const char *application, uint8_t flags,
              const char *pin, void **options, struct enrollment **result) {
  if (algorithm != ED25519) return UNSUPPORTED;
  if (!is_unlocked(flags, pin)) return PIN_REQUIRED;
  EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
  struct enrollment *made = calloc(1, sizeof *made);
  made->flags = flags;
  made->public_key_length = made->handle_length = 32;
  made->public_key = malloc(32);
  made->handle = malloc(32);
  // What it would say of its maker; nobody asks for that here.
  made->signature_length = 1;
  made->signature = calloc(1, 1);
  if (EVP_PKEY_get_raw_public_key(key, made->public_key, &made->public_key_length) != 1 ||
      EVP_PKEY_get_raw_private_key(key, made->handle, &made->handle_length) != 1)
    return FAILED;
  EVP_PKEY_free(key);
  *result = made;
  return 0;
}

int sk_sign(uint32_t algorithm, const uint8_t *message, size_t message_length, const char *application, const uint8_t *handle,
            size_t handle_length, uint8_t flags, const char *pin, void **options, struct answer **result) {
  if (algorithm != ED25519) return UNSUPPORTED;
  if (!is_unlocked(flags, pin)) return PIN_REQUIRED;
  uint8_t statement[32 + 1 + 4 + 32];
  EVP_Digest(application, strlen(application), statement, NULL, EVP_sha256(), NULL);
  statement[32] = flags;
  memcpy(statement + 33, "\0\0\0\7", 4);
  EVP_Digest(message, message_length, statement + 37, NULL, EVP_sha256(), NULL);
  struct answer *made = calloc(1, sizeof *made);
  made->flags = flags;
  made->counter = 7;
  made->r_length = 64;
  made->r = malloc(64);
  EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, handle, handle_length);
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  if (EVP_DigestSignInit(context, NULL, NULL, NULL, key) != 1 ||
      EVP_DigestSign(context, made->r, &made->r_length, statement, sizeof statement) != 1)
    return FAILED;
  EVP_MD_CTX_free(context);
  EVP_PKEY_free(key);
  *result = made;
  return 0;
}

int sk_load_resident_keys(const char *pin, void **options, void ***keys, size_t *count) {
  *keys = NULL;
  *count = 0;
  return 0;
}
