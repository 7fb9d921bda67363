#ifndef KO_CRYPTO_SHIM_H
#define KO_CRYPTO_SHIM_H

#include <crypt.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

// What is a macro in one of the releases from 1.1.1 on, or variadic, Swift cannot call.

static inline EVP_PKEY *ko_make_key(void) {
  EVP_PKEY *key = NULL;
  EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, NULL);
  if (context != NULL && EVP_PKEY_keygen_init(context) > 0 &&
      EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1) > 0 &&
      EVP_PKEY_CTX_set_ec_param_enc(context, OPENSSL_EC_NAMED_CURVE) > 0)
    EVP_PKEY_keygen(context, &key);
  EVP_PKEY_CTX_free(context);
  return key;
}

static inline long ko_memory(BIO *bio, char **start) { return BIO_get_mem_data(bio, start); }

static inline int ko_set_common_name(X509_NAME *name, const char *text) {
  return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)text, -1, -1, 0);
}

static inline int ko_add_extension(X509 *certificate, X509 *issuer, int kind, const char *value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
  X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
  if (extension == NULL) return 0;
  int result = X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
  return result;
}

// A key with a password is not asked for: nobody sits there.
static inline int ko_no_password(char *buffer, int size, int isWriting, void *context) {
  (void)buffer, (void)size, (void)isWriting, (void)context;
  return -1;
}

static inline EVP_PKEY *ko_read_key(BIO *bio) { return PEM_read_bio_PrivateKey(bio, NULL, ko_no_password, NULL); }

// Why a chain, the server's own certificate first, does not lead to one of the authorities; X509_V_OK if it does.
static inline int ko_verify(X509 **chain, int length, X509 **authorities, int count, long long time) {
  int result = X509_V_ERR_UNSPECIFIED;
  X509_STORE *store = X509_STORE_new();
  X509_STORE_CTX *context = X509_STORE_CTX_new();
  STACK_OF(X509) *others = sk_X509_new_null();
  if (store != NULL && context != NULL && others != NULL) {
    int isReady = 1;
    for (int i = 0; i < count; i++) isReady &= X509_STORE_add_cert(store, authorities[i]);
    for (int i = 1; i < length; i++) isReady &= sk_X509_push(others, chain[i]) > 0;
    if (isReady && X509_STORE_CTX_init(context, store, chain[0], others)) {
      X509_STORE_CTX_set_default(context, "ssl_server");
      X509_STORE_CTX_set_flags(context, X509_V_FLAG_PARTIAL_CHAIN);
      X509_STORE_CTX_set_time(context, 0, (time_t)time);
      result = X509_verify_cert(context) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(context);
    }
  }
  sk_X509_free(others);
  X509_STORE_CTX_free(context);
  X509_STORE_free(store);
  return result;
}

// The hash of bcrypt (crypt(5), "bcrypt"), which needs 61 characters.
static inline int ko_bcrypt(const char *password, unsigned long cost, const char *salt, int saltSize, char *hash, int size) {
  char setting[CRYPT_GENSALT_OUTPUT_SIZE];
  struct crypt_data *data = calloc(1, sizeof *data);
  int isMade = 0;
  if (data != NULL && crypt_gensalt_rn("$2b$", cost, salt, saltSize, setting, sizeof setting) != NULL) {
    const char *text = crypt_rn(password, setting, data, sizeof *data);
    if (text != NULL && strlen(text) < (size_t)size) {
      strcpy(hash, text);
      isMade = 1;
    }
  }
  free(data);
  return isMade;
}

#endif
