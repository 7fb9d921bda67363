import Glibc

/// Parses a time of an allowed signers file: `YYYYMMDD[Z]` or `YYYYMMDDHHMM[SS][Z]`.
///
/// Without `Z` or `UTC` it is a time of this system's zone, and as in OpenSSH always of its standard time, also in summer.
/// Source: ssh-keygen(1), ALLOWED SIGNERS; OpenSSH, misc.c, `parse_absolute_time`.
///
/// - Returns: Seconds since 1970; nil when it is no such time, or none after 1970-01-01T00:00:00.
func signerTime(_ text: String) -> Int64? {
  var digits = text[...]
  var isUTC = false
  for suffix in ["Z", "z", "UTC", "utc"] where !isUTC && digits.hasSuffix(suffix) {
    digits.removeLast(suffix.count)
    isUTC = true
  }
  guard [8, 12, 14].contains(digits.utf8.count), digits.utf8.allSatisfy({ (48...57).contains($0) }) else {
    return nil
  }
  func field(_ start: Int, _ count: Int) -> Int32 { Int32(digits.dropFirst(start).prefix(count)) ?? 0 }
  var time = tm()
  time.tm_year = field(0, 4) - 1900
  time.tm_mon = field(4, 2) - 1
  time.tm_mday = field(6, 2)
  time.tm_hour = field(8, 2)
  time.tm_min = field(10, 2)
  time.tm_sec = field(12, 2)

  // timegm carries over what is too large, such as 31 June: then the fields are others.
  var carried = time
  let universal = timegm(&carried)
  guard carried.tm_year == time.tm_year, carried.tm_mon == time.tm_mon, carried.tm_mday == time.tm_mday,
    carried.tm_hour == time.tm_hour, carried.tm_min == time.tm_min, carried.tm_sec == time.tm_sec
  else { return nil }
  let seconds = Int64(isUTC ? universal : mktime(&time))
  return seconds > 0 ? seconds : nil
}
