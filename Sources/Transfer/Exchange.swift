import CCurl
import Files
import SystemPackage

/// One request and its answer, without redirects or retries.
struct ExchangeRequest: Sendable {
  var method: String = "GET"
  var url: TransferURL
  var fields = HTTPFields()
  /// Whether `~/.netrc` may answer for this host.
  var usesNetrc = true
  /// Sent as the body when present.
  var body: [UInt8]?
  /// Sent as the body instead.
  var upload: (any UploadBody)?
  /// The engine's own number when absent, in seconds.
  var stallTimeout: Duration?
  /// Whether the connection of an earlier attempt is not trusted: bytes of its answer may still be on it.
  var needsFreshConnection = false
  /// Whether the answer is content, which may take minutes, rather than something that others wait for to go on.
  var isContent = false
  /// Whether it is only sent if a connection is free that nobody waits for; else it is refused at once.
  var isSpare = false
}

/// How an exchange ended.
struct ExchangeResult: Sendable {
  /// The final response's head, if one came.
  var head: ResponseHead?
  /// Bytes of body that arrived.
  var bytesReceived: Int64
  /// Why it is incomplete; `nil` when the whole response arrived.
  var failure: TransferError?
  /// Whether nobody was asked, since no connection was to spare.
  var isRefused = false
}

/// An exchange under way: owns the easy handle and is its callbacks' context. Lives on the engine's thread only.
final class Exchange {
  let id: UInt64
  let handle: UnsafeMutableRawPointer
  let request: ExchangeRequest
  let sink: any ResponseSink
  private var requestFields: UnsafeMutablePointer<curl_slist>?
  private let errorBuffer = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
  private var head = ResponseHead(status: 0, fields: [:])
  private var headDelivered = false
  private var bytesReceived: Int64 = 0
  private var sinkFailure: TransferError?
  private var upload: UploadState?
  private let limiter: RateLimiter?
  private var pace: Pace
  private var configuration = TransferConfiguration()

  /// - Throws: ``TransferError`` when libcurl cannot make a handle.
  init(
    id: UInt64, request: ExchangeRequest, sink: any ResponseSink, limiter: RateLimiter?, pace: Pace
  ) throws(TransferError) {
    guard let handle = curl_easy_init() else {
      throw TransferError(.connection, url: request.url.redacted, detail: "libcurl could not start a request")
    }
    self.id = id
    self.handle = handle
    self.request = request
    self.sink = sink
    self.limiter = limiter
    self.pace = pace
    upload = request.upload.map(UploadState.init)
    errorBuffer[0] = 0
  }

  deinit {
    curl_easy_cleanup(handle)
    curl_slist_free_all(requestFields)
    errorBuffer.deallocate()
  }

  /// Sets every option of the request.
  func prepare(_ configuration: TransferConfiguration) {
    self.configuration = configuration
    set(CURLOPT_URL, request.url.text)
    set(CURLOPT_PROTOCOLS, Int(CURLPROTO_HTTP | CURLPROTO_HTTPS))
    set(CURLOPT_NOSIGNAL, 1)
    set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_2TLS))
    set(CURLOPT_USERAGENT, configuration.userAgent)
    set(CURLOPT_CONNECTTIMEOUT, Int(configuration.connectTimeout.components.seconds))
    set(CURLOPT_LOW_SPEED_LIMIT, 1)
    let stallTimeout = request.stallTimeout ?? configuration.stallTimeout
    set(CURLOPT_LOW_SPEED_TIME, Int(stallTimeout.components.seconds))
    set(CURLOPT_BUFFERSIZE, 256 * 1024)
    set(CURLOPT_TCP_KEEPALIVE, 1)
    if request.usesNetrc { set(CURLOPT_NETRC, Int(CURL_NETRC_OPTIONAL.rawValue)) }
    if let file = configuration.netrcFile { set(CURLOPT_NETRC_FILE, file) }
    if request.needsFreshConnection { set(CURLOPT_FRESH_CONNECT, 1) }
    setMethod()
    setProxy(configuration)
    if let file = configuration.caFile { set(CURLOPT_CAINFO, file) }
    if let certificate = configuration.clientCertificate {
      set(CURLOPT_SSLCERT, certificate.file)
      set(CURLOPT_SSLKEY, certificate.key)
    }
    if !configuration.verifiesServers {
      set(CURLOPT_SSL_VERIFYPEER, 0)
      set(CURLOPT_SSL_VERIFYHOST, 0)
    }
    setAuthorityFolder(configuration)
    // Not by libcurl's own option: with it, what is encoded all the same would be decoded, and lengths not be the file's.
    requestFields = curl_slist_append(requestFields, "Accept-Encoding: identity")
    for line in request.fields.lines { requestFields = curl_slist_append(requestFields, line) }
    _ = ko_easy_set_list(handle, CURLOPT_HTTPHEADER, requestFields)
    _ = ko_easy_set_pointer(handle, CURLOPT_ERRORBUFFER, errorBuffer)
    setCallbacks()
  }

  /// Goes on after the bandwidth limit has held it. The bytes that were held arrive within this call.
  func goOn() { curl_easy_pause(handle, CURLPAUSE_CONT) }

  /// The share of the bandwidth limit by which this exchange may send, in bytes a second; 0 is unlimited.
  func limitSending(_ bytesPerSecond: Int64) {
    _ = ko_easy_set_offset(handle, CURLOPT_MAX_SEND_SPEED_LARGE, curl_off_t(bytesPerSecond))
  }

  /// Turns libcurl's verdict into the result.
  func finish(_ code: CURLcode) -> ExchangeResult {
    var failure = sinkFailure
    if let error = upload?.failure {
      failure = TransferError(
        .source, url: request.url.redacted, detail: "what was to be sent could not be read: \(error)")
    }
    if failure == nil, code == CURLE_OK, !headDelivered { deliverHead() }
    failure = failure ?? sinkFailure
    if failure == nil, code != CURLE_OK { failure = error(for: code) }
    return ExchangeResult(head: headDelivered ? head : nil, bytesReceived: bytesReceived, failure: failure)
  }

  private func set(_ option: CURLoption, _ value: Int) { _ = ko_easy_set_long(handle, option, value) }

  private func set(_ option: CURLoption, _ value: String) { _ = ko_easy_set_string(handle, option, value) }

  /// libcurl reads a bundle once and keeps it (CURLOPT_CA_CACHE_TIMEOUT), but only where no folder is searched beside it:
  /// else every connection reads the system's 150 certificates again, which costs more than a small file does. The
  /// system's folder has the certificates of the system's bundle, one by one.
  private func setAuthorityFolder(_ configuration: TransferConfiguration) {
    let system = SystemAuthorities.current
    let file = configuration.caFile ?? system.file
    let folder = configuration.caDirectory ?? system.folder
    if file == system.file, folder == system.folder, system.hasFile {
      _ = ko_easy_set_pointer(handle, CURLOPT_CAPATH, nil)
    } else if let folder {
      set(CURLOPT_CAPATH, folder)
    }
  }

  private func setMethod() {
    switch request.method {
    case "GET": set(CURLOPT_HTTPGET, 1)
    case "HEAD": set(CURLOPT_NOBODY, 1)
    default: set(CURLOPT_CUSTOMREQUEST, request.method)
    }
    if let body = request.upload {
      set(CURLOPT_UPLOAD, 1)
      set(CURLOPT_UPLOAD_BUFFERSIZE, 512 * 1024)
      _ = ko_easy_set_offset(handle, CURLOPT_INFILESIZE_LARGE, curl_off_t(body.size))
    } else if let body = request.body {
      set(CURLOPT_POSTFIELDSIZE, body.count)
      // libcurl copies this one, so the array need not outlive the call.
      body.withUnsafeBytes { bytes in
        _ = ko_easy_set_pointer(
          handle, CURLOPT_COPYPOSTFIELDS, UnsafeMutableRawPointer(mutating: bytes.baseAddress))
      }
    }
  }

  private func setProxy(_ configuration: TransferConfiguration) {
    let proxy = request.url.origin.scheme == "https" ? configuration.httpsProxy : configuration.httpProxy
    if let proxy { set(CURLOPT_PROXY, proxy) }
    if let noProxy = configuration.noProxy { set(CURLOPT_NOPROXY, noProxy) }
  }

  private func setCallbacks() {
    // The loop keeps this object alive until the handle has left the multi handle, so the context never dangles.
    let context = Unmanaged.passUnretained(self).toOpaque()
    _ = ko_easy_set_pointer(handle, CURLOPT_WRITEDATA, context)
    _ = ko_easy_set_callback(handle, CURLOPT_WRITEFUNCTION) { data, size, count, context in
      guard let data, let context else { return 0 }
      let exchange = Unmanaged<Exchange>.fromOpaque(context).takeUnretainedValue()
      let bytes = UnsafeRawBufferPointer(start: data, count: size * count)
      if let limiter = exchange.limiter, !limiter.admits(bytes.count, of: exchange.id) {
        return Int(CURL_WRITEFUNC_PAUSE)
      }
      return exchange.receiveBody(bytes) ? bytes.count : 0
    }
    if upload != nil { setUploadCallbacks(context) }
    _ = ko_easy_set_pointer(handle, CURLOPT_HEADERDATA, context)
    _ = ko_easy_set_callback(handle, CURLOPT_HEADERFUNCTION) { data, size, count, context in
      guard let data, let context else { return 0 }
      let exchange = Unmanaged<Exchange>.fromOpaque(context).takeUnretainedValue()
      let bytes = UnsafeRawBufferPointer(start: data, count: size * count)
      exchange.receiveHeader(String(decoding: bytes, as: UTF8.self))
      return bytes.count
    }
  }

  /// libcurl asks for the body's bytes, and to start over when it repeats a request by itself.
  private func setUploadCallbacks(_ context: UnsafeMutableRawPointer) {
    _ = ko_easy_set_pointer(handle, CURLOPT_READDATA, context)
    _ = ko_easy_set_callback(handle, CURLOPT_READFUNCTION) { data, size, count, context in
      guard let data, let context else { return Int(CURL_READFUNC_ABORT) }
      let exchange = Unmanaged<Exchange>.fromOpaque(context).takeUnretainedValue()
      let buffer = UnsafeMutableRawBufferPointer(start: data, count: size * count)
      return exchange.upload?.read(into: buffer) ?? Int(CURL_READFUNC_ABORT)
    }
    _ = ko_easy_set_pointer(handle, CURLOPT_SEEKDATA, context)
    _ = ko_easy_set_seek(handle) { context, offset, origin in
      guard let context, origin == SEEK_SET else { return CURL_SEEKFUNC_FAIL }
      let exchange = Unmanaged<Exchange>.fromOpaque(context).takeUnretainedValue()
      return exchange.upload?.seek(to: Int64(offset)) == true ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL
    }
  }

  private func receiveHeader(_ line: String) {
    // Interim responses (100, 103) and the proxy's answer to CONNECT come first; each status line starts afresh.
    if line.hasPrefix("HTTP/") {
      let words = line.split(separator: " ", maxSplits: 2)
      head = ResponseHead(
        status: words.count > 1 ? Int(trimmed(words[1])) ?? 0 : 0, fields: [:], origin: request.url.origin,
        url: request.url)
    } else {
      head.fields.append(line: line)
    }
  }

  private func receiveBody(_ bytes: UnsafeRawBufferPointer) -> Bool {
    if !headDelivered { deliverHead() }
    guard sinkFailure == nil else { return false }
    do throws(TransferError) {
      try sink.receive(bytes)
      bytesReceived += Int64(bytes.count)
      if pace.isTooSlow(after: bytes.count, at: .now) {
        throw TransferError(
          .stalled, url: request.url.redacted,
          detail: "fewer than \(pace.minimum) bytes a second arrived over \(pace.window)")
      }
      return true
    } catch {
      sinkFailure = error
      return false
    }
  }

  private func deliverHead() {
    headDelivered = true
    do throws(TransferError) {
      try sink.receive(head: head)
    } catch {
      sinkFailure = error
    }
  }

  private static let notTLS = ["wrong version number", "unexpected TLS packet", "packet length too long"]

  private func error(for code: CURLcode) -> TransferError {
    let buffered = String(cString: errorBuffer)
    let text = configuration.withoutSecrets(
      buffered.isEmpty ? String(cString: curl_easy_strerror(code)) : buffered, asking: request.url)
    let kind: TransferError.Kind
    var detail = text
    switch code {
    // What the TLS libraries say of bytes that are not TLS at all; they have no code of their own for it.
    case _ where request.url.origin.scheme == "https" && Self.notTLS.contains(where: text.contains):
      kind = .plainHTTP
    case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: kind = .nameNotResolved
    case CURLE_URL_MALFORMAT: kind = .badURL
    // The URL was checked before: it is the answer that speaks another protocol.
    case CURLE_UNSUPPORTED_PROTOCOL: kind = .protocolViolation
    case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CERTPROBLEM,
      CURLE_SSL_ISSUER_ERROR, CURLE_SSL_CIPHER:
      kind = .tls
    case CURLE_OPERATION_TIMEDOUT:
      kind = headDelivered || bytesReceived > 0 ? .stalled : .connection
      if text.contains("Operation too slow") { detail = "no data arrived for the stall timeout" }
    default: kind = .connection
    }
    return TransferError(kind, url: request.url.redacted, detail: detail)
  }
}

/// Where libcurl was built to look for the certificates of authorities.
private struct SystemAuthorities: Sendable {
  static let current = SystemAuthorities()

  let file = ko_default_ca_bundle().map { String(cString: $0) }
  let folder = ko_default_ca_folder().map { String(cString: $0) }

  /// Whether the bundle is on this machine.
  let hasFile: Bool

  private init() { hasFile = file.map { fileExists(FilePath($0)) } ?? false }
}
