import type { Middleware } from 'koa';
import type { PublicAddress } from './public-address.ts';

/** Routes know paths within Luna; where they lead a browser, the base path stands before. */
export function redirectsBelow(address: PublicAddress): Middleware {
  return ({ response }, next) => {
    const { basePath } = address;
    const redirect = response.redirect.bind(response);
    if (basePath !== '') response.redirect = (to) => redirect(/^\/(?!\/)/.test(to) ? basePath + to : to);
    return next();
  };
}
