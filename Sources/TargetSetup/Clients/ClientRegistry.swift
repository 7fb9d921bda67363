import Bundle
import Files
import Registry
import Settings
import SystemPackage
import Transfer

/// The registry that the images went to, as container clients of this host shall know it.
struct ClientRegistry: Sendable {
  /// By what a client may believe the registry.
  enum Trust: Sendable, Equatable {
    /// It has no TLS.
    case plain
    /// Its certificate is not checked, and it need not have one.
    case unchecked
    /// Its certificate is signed by these authorities (PEM).
    case authority([UInt8])
    /// Its certificate is one that every client of this host believes anyway.
    case system
  }

  /// The names with port under which it is asked; the first is the one that other machines use.
  let names: [String]
  /// By what it is believed.
  let trust: Trust

  /// The name that other machines use.
  var name: String { names[0] }

  /// Whether a name is of this machine itself: docker and containerd do without TLS there by themselves.
  static func isLoopback(_ name: String) -> Bool { (try? PushTarget(name))?.isLoopback ?? false }
}

extension Node {
  /// The registry that `load-push` brings the images to.
  ///
  /// - Throws: ``StepError`` when its address or the CA file is no use.
  func clientRegistry() throws(StepError) -> ClientRegistry {
    guard !pushesToOwnRegistry else {
      let port = configuration.registry.port
      let local =
        configuration.registry.bind == nil ? ["localhost:\(port)", "127.0.0.1:\(port)"] : [localRegistryHost]
      return ClientRegistry(
        names: [registryHost] + local.filter { $0 != registryHost }, trust: .plain)
    }
    let host: String
    do {
      host = try PushTarget(configuration.registry.address).host
    } catch {
      throw StepError(error.description)
    }
    if configuration.images.plainHTTP.contains(host) { return ClientRegistry(names: [host], trust: .plain) }
    if push.isInsecure { return ClientRegistry(names: [host], trust: .unchecked) }
    guard let file = push.certificateAuthority else {
      let isLocal = ClientRegistry.isLoopback(host)
      return ClientRegistry(names: [host], trust: isLocal ? .unchecked : .system)
    }
    let bytes: [UInt8]
    do {
      bytes = try readBytes(file)
    } catch {
      throw StepError("the CA file \(file) cannot be read: \(error). Correct --ca-file.")
    }
    guard String(decoding: bytes, as: UTF8.self).contains("-----BEGIN CERTIFICATE-----") else {
      throw StepError(
        "\(file) has no certificate in the form PEM in it. Name the CA's certificate: --ca-file")
    }
    return ClientRegistry(names: [host], trust: .authority(bytes))
  }

  /// Whether a registry that may have TLS or not has it.
  ///
  /// - Throws: ``StepError`` when it does not answer; `TransferError` when libcurl cannot be started.
  func speaksTLS(_ host: String) async throws -> Bool {
    var transfer = TransferConfiguration(environment: environment, options: push) { exists($0) }
    transfer.connectTimeout = .seconds(5)
    transfer.stallTimeout = .seconds(10)
    transfer.verifiesServers = false
    let engine = try TransferEngine(transfer)
    for scheme in ["https", "http"] {
      var request = HTTPRequest(url: "\(scheme)://\(host)/v2/")
      request.retries = 0
      request.finalStatuses = Set(400...599)
      if (try? await engine.response(to: request)) != nil { return scheme == "https" }
      try Task.checkCancellation()
    }
    throw StepError(
      "\(host) does not answer, so it is not known whether it has TLS. Start it, or check the address: --registry"
    )
  }

  /// Whether one of these programs is on this host.
  func hasProgram(_ names: String...) -> Bool {
    names.contains { name in
      ["/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"].contains {
        exists(FilePath($0).appending(name))
      }
    }
  }

  /// The bytes of a file of this host; `nil` when there is none.
  ///
  /// - Throws: ``StepError`` when it cannot be read.
  func hostFile(_ path: FilePath) throws(StepError) -> [UInt8]? {
    do {
      return try readBytes(ifPresent: self.path(path))
    } catch {
      throw StepError(
        "\(path) cannot be read: \((error as? FileError)?.code ?? .ioError). Nothing was changed; correct it and run this step again."
      )
    }
  }
}
