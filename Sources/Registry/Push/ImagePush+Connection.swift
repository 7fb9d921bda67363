import Bundle
import Transfer

extension ImagePush {
  /// Finds how the registry is asked: a registry on another machine without TLS only where that is allowed.
  func client() async throws(RegistryError) -> PushClient {
    var pull = RegistryConfiguration()
    if try await isPlain() { pull.plainHTTP = [target.host] }
    return PushClient(
      engine: engine, endpoint: RegistryEndpoint(registry: target.host, configuration: pull),
      credentials: credentials, configuration: configuration, onEvent: onEvent)
  }

  private func isPlain() async throws(RegistryError) -> Bool {
    if let isPlain = target.isPlain {
      guard !isPlain || configuration.allowsPlainHTTP || target.isLoopback else {
        throw RegistryError(
          .insecure, image: try name(),
          detail:
            "\(target.host) would be contacted without TLS, so anyone on the network path could read or "
            + "alter the upload")
      }
      return isPlain
    }
    if target.isLoopback { return await !wantsTLS() }
    guard configuration.allowsPlainHTTP else { return false }
    do throws(TransferError) {
      _ = try await engine.response(to: Self.greeting("https://\(target.host)/v2/"))
      return false
    } catch {
      // A certificate that is not believed is no reason to do without.
      return error.kind != .tls
    }
  }

  /// Whether a registry answers a question without TLS by asking for it: what Go's server says, and nginx, has the word.
  private func wantsTLS() async -> Bool {
    // Who names an authority means TLS.
    if configuration.prefersTLS, await speaksTLS() { return true }
    guard let answer = try? await engine.response(to: Self.greeting("http://\(target.host)/v2/")) else {
      // Servers that are not made in Go hang up.
      return await speaksTLS()
    }
    guard answer.head.status == 400 else { return false }
    return String(decoding: answer.body.prefix(1 << 10), as: UTF8.self).contains("HTTPS")
  }

  /// Whether something answers over TLS, be it with a certificate that is not believed.
  private func speaksTLS() async -> Bool {
    do throws(TransferError) {
      _ = try await engine.response(to: Self.greeting("https://\(target.host)/v2/"))
      return true
    } catch {
      return error.kind == .tls
    }
  }

  private static func greeting(_ url: String) -> HTTPRequest {
    var request = HTTPRequest(url: url)
    request.retries = 0
    return request
  }

  /// The registry in errors that are not one image's.
  private func name() throws(RegistryError) -> ImageReference {
    do {
      return try ImageReference(
        registry: target.host, repository: target.path.isEmpty ? "v2" : target.path, tag: "latest")
    } catch {
      preconditionFailure("a target's parts were checked when it was made: \(error)")
    }
  }
}
