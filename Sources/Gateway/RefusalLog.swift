import Engine
import Telemetry
import WireProtocols

extension Services {
    /// Writes down a request that was refused: its address, path and the reason. Queries hold tokens and are left out.
    func logRefusal(_ code: @autoclosure () -> String, of request: HTTPRequest) {
        logger.debug(
            "request refused",
            ["address": "\(request.peer)", "method": request.head.method, "path": request.head.path, "code": code()])
    }
}
