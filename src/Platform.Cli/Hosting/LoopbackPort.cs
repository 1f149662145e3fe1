using System.Net;
using System.Net.Sockets;

namespace Platform.Cli.Hosting;

/// <summary>TCP ports of this machine.</summary>
internal static class LoopbackPort
{
    public static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>The first free port from <paramref name="first"/> on.</summary>
    public static int FirstFree(int first)
    {
        while (!IsFree(first))
            first++;
        return first;
    }
}
