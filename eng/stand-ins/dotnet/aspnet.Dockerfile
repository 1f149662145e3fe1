# Stand-in for the official aspnet:10.0; its context is the folder of this machine's .NET.
FROM stand-in/debian:13
RUN groupadd -g 1654 app && useradd -l -u 1654 -g 1654 -m app
COPY dotnet /usr/share/dotnet/
COPY host /usr/share/dotnet/host
COPY shared /usr/share/dotnet/shared
RUN ln -s /usr/share/dotnet/dotnet /usr/bin/dotnet
ENV APP_UID=1654 ASPNETCORE_HTTP_PORTS=8080 DOTNET_RUNNING_IN_CONTAINER=true
