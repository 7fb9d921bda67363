#ifndef KO_CURL_SHIM_H
#define KO_CURL_SHIM_H

#include <curl/curl.h>

// Swift cannot call variadic functions: one typed entry for each kind of argument that this project passes.

typedef size_t (*ko_data_callback)(char *data, size_t size, size_t count, void *context);

static inline CURLcode ko_easy_set_long(CURL *handle, CURLoption option, long value) {
  return curl_easy_setopt(handle, option, value);
}

static inline CURLcode ko_easy_set_offset(CURL *handle, CURLoption option, curl_off_t value) {
  return curl_easy_setopt(handle, option, value);
}

static inline CURLcode ko_easy_set_string(CURL *handle, CURLoption option, const char *value) {
  return curl_easy_setopt(handle, option, value);
}

static inline CURLcode ko_easy_set_pointer(CURL *handle, CURLoption option, void *value) {
  return curl_easy_setopt(handle, option, value);
}

static inline CURLcode ko_easy_set_list(CURL *handle, CURLoption option, struct curl_slist *value) {
  return curl_easy_setopt(handle, option, value);
}

static inline CURLcode ko_easy_set_callback(CURL *handle, CURLoption option, ko_data_callback value) {
  return curl_easy_setopt(handle, option, value);
}

static inline CURLcode ko_easy_set_seek(CURL *handle, curl_seek_callback value) {
  return curl_easy_setopt(handle, CURLOPT_SEEKFUNCTION, value);
}

static inline CURLcode ko_easy_get_long(CURL *handle, CURLINFO info, long *value) {
  return curl_easy_getinfo(handle, info, value);
}

static inline CURLcode ko_easy_get_string(CURL *handle, CURLINFO info, char **value) {
  return curl_easy_getinfo(handle, info, value);
}

static inline CURLMcode ko_multi_set_long(CURLM *handle, CURLMoption option, long value) {
  return curl_multi_setopt(handle, option, value);
}

// CURLVERSION_NOW is a macro for a value of an enumeration, which Swift does not see.
static inline const char *ko_default_ca_bundle(void) {
  return curl_version_info(CURLVERSION_NOW)->cainfo;
}

static inline const char *ko_default_ca_folder(void) {
  return curl_version_info(CURLVERSION_NOW)->capath;
}

// The message's result lies in a C union that has no name Swift could use.
static inline CURLcode ko_message_result(const CURLMsg *message) {
  return message->data.result;
}

#endif
