import Diagnosis
import Registry
import SystemPackage
import Transfer

extension TransferError: Advised {
  var advice: String? { kind.advice }
}

extension TransferError.Kind {
  /// The advice for a request of this machine that failed like this.
  var advice: String {
    switch self {
    case .badURL, .redirect, .tooLarge: "Correct the address."
    case .nameNotResolved: "Check the name and this machine's name servers or /etc/hosts."
    case .connection, .stalled:
      "Check that the server runs and that no firewall is in the way, then run the same command again."
    case .tls: Advice.certificate
    case .plainHTTP: "The server does not speak TLS: correct the address."
    case .status(401), .notAuthorized: "The server wants credentials: put them in ~/.netrc."
    case .status(403): "Check the rights of the account."
    case .status(404), .status(410): "Check the address."
    case .status, .waitTooLong: "Contact whoever runs the server, then run the same command again."
    case .digestMismatch, .sizeMismatch, .protocolViolation:
      "Something on the way changes what is sent; contact whoever runs the server."
    case .file: Advice.disk
    case .source: Advice.verify
    case .cancelled, .offline: "Run the same command again."
    }
  }
}

extension RegistryError: Advised {
  var advice: String? {
    let login = Advice.login(registry, RegistryCredentials.variableNames(registry: registry))
    return switch kind {
    case .notFound:
      "Check the registry's address and path. Harbor and others need the project to exist first."
    case .unauthorized: "Check the rights of the account. \(login)"
    case .credentialsRefused: "They may have expired. \(login)"
    case .denied: "Check that the account may push there. \(login)"
    case .rateLimited: "Wait, then run the same command again: what has arrived is not sent again."
    case .platformMissing, .unsupported, .notAnImage, .foreignLayer:
      "The registry cannot keep this image: leave it out, or push it into another registry."
    case .digestMismatch: "Something on the way changes what is pushed; contact whoever runs the registry."
    case .badAnswer where code == "NAME_INVALID":
      "It takes no such name, such as one of more parts: push into another path (--registry HOST/PATH)."
    case .badAnswer:
      "Check that \(registry) is the registry's address; see its log, or contact whoever runs it."
    case .credentials: "Correct the file of credentials, or log in again. \(login)"
    case .insecure: "To allow that, pass --insecure."
    case .readOnly: "The registry may be read-only, or only a cache: push into another one."
    case .diskFull: "Make room for it. \(Advice.resend)"
    case .notServed: "Restart the registry, or push over HTTP."
    case .pushRefused(let refusal): refusal.advice(registry)
    case .transfer(.plainHTTP): "\(registry) does not speak TLS. If that is intended, pass --insecure."
    case .transfer(.tls): Advice.certificate
    case .transfer(.connection), .transfer(.stalled): "Check that the registry runs. \(Advice.resend)"
    case .transfer(.status): "See the registry's log. \(Advice.resend)"
    case .transfer(let kind): kind.advice
    }
  }
}

extension PushRefusal {
  /// What to do about it.
  fileprivate func advice(_ registry: String) -> String {
    switch self {
    case .quota: "Raise the quota of the project, or remove images from it. \(Advice.resend)"
    case .immutableTag:
      "Remove the tag in the registry, or allow that tags are changed there; or push into another project."
    case .noProject(let name): "Make \(name) in \(registry) first. \(Advice.resend)"
    case .moved(let address): "Name that address: --registry \(address)"
    case .mediaType: "Use a registry that takes OCI images, or a newer version of this one."
    case .uploadElsewhere:
      "Correct the registry's own address in its settings (its external URL, or the Host and X-Forwarded-Proto fields that a "
        + "proxy before it must pass on)."
    }
  }
}

extension CredentialError: Advised {
  var advice: String? { "Correct it, or log in again (podman login, docker login)." }
}

extension StorageError: Advised {
  var problemKind: String { reason == .noSpace ? "disk-full" : "file" }

  var advice: String? {
    reason == .noSpace ? "Make room, and run the same command again." : "Check the folder and its disk."
  }
}

extension ImageArchiveError: Advised {
  var advice: String? {
    switch self {
    case .nameless(let path, _, isOnly: true):
      "Name it: target-setup load-push --archive \(path) --name REGISTRY/NAME:TAG"
    case .nameless(let path, _, isOnly: false):
      "Name it: target-setup load-push --archive \(path) --name REGISTRY/NAME:TAG; where several have no name, save each by "
        + "itself, or, where each has a tag, name their repository: --name REGISTRY/NAME"
    case .noImages:
      "Give it what docker save, podman save, nerdctl save, ctr images export, skopeo copy or crane pull writes."
    case .unusableImage: "Save this image again where it comes from. \(Advice.others)"
    case .misnamed(let path, _, _):
      "Save it under another name, or by itself, and give it one: target-setup load-push --archive \(path) --name "
        + "REGISTRY/NAME:TAG. \(Advice.others)"
    default:
      "Make or copy the archive again. If it belongs to the bundle, check that with: target-setup verify"
    }
  }
}

extension CollectionError: Advised {
  var problemKind: String { "file" }
  var advice: String? { "It needs room there for the two largest of its images." }
}

extension PushCollision: Advised {
  var problemKind: String { "collision" }
  var advice: String? { "Move one of them away, or push it into another path of the registry." }
}

extension PushTargetError: Advised {
  var problemKind: String { "bad-address" }
  var advice: String? { "Correct --registry: HOST[:PORT][/PATH]." }
}

extension StoreError: Advised {
  var problemKind: String {
    switch kind {
    case .transfer(let kind): kind.code
    case .refused(401, _): "unauthorized"
    case .refused(403, _): "denied"
    case .refused(404, _): "not-found"
    case .refused(507, _): "disk-full"
    case .refused: "http-status"
    case .moved: "redirect"
    case .unreadable: "source"
    case .notKept, .changed: "not-kept"
    }
  }

  var fact: String { detail }

  var advice: String? {
    switch kind {
    case .transfer(.tls):
      "If the store uses a private CA, pass its certificate with --ca-file. Also check this machine's clock."
    case .transfer(.status(507)), .refused(507, _): "Make room in the store."
    case .transfer(.status), .transfer(.waitTooLong): "Contact whoever runs the store. \(Advice.resend)"
    case .transfer(let kind): kind.advice
    case .refused(401, hasCredential: true):
      "The user or the token is wrong: check USERNAME and TOKEN, or ~/.netrc."
    case .refused(401, hasCredential: false):
      "The store wants credentials: set USERNAME and TOKEN, or put them in ~/.netrc."
    case .refused(403, _):
      "The user may not write there: for Artifactory it needs Deploy, and Delete/Overwrite for files that differ."
    case .refused(404, _): "There is no such place: check the address, and that the repository exists."
    case .refused(400, _), .refused(409, _), .refused(422, _):
      "The store found the content or the place wrong."
    case .refused(405, _), .refused(501, _):
      "The store takes no uploads at that address: check the address, or allow PUT."
    case .refused(413, _):
      "The store does not take files of this size: raise its limit (nginx: client_max_body_size)."
    case .refused: "Contact whoever runs the store."
    case .moved(let address): "Name that address: --to \(address)"
    case .unreadable: "Check the medium."
    case .notKept, .changed: "Check the address."
    }
  }
}
